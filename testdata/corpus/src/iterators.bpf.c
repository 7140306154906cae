/* SPDX-License-Identifier: BSD-2-Clause */
/* Open-coded iterators: what converges, what does not, and slots that are not iterators. */
#include "kfuncs.h"

int out[16];

SEC("raw_tracepoint/sys_enter")
int nested(void *ctx)
{
	struct bpf_iter_num a, b;
	int *i, *j, n = 0;

	bpf_iter_num_new(&a, 0, 4);
	while ((i = bpf_iter_num_next(&a))) {
		bpf_iter_num_new(&b, 0, 4);
		while ((j = bpf_iter_num_next(&b)))
			n += *i * *j;
		bpf_iter_num_destroy(&b);
	}
	bpf_iter_num_destroy(&a);
	out[0] = n;
	return 0;
}

SEC("raw_tracepoint/sys_enter")
int left_early(void *ctx)
{
	struct bpf_iter_num it;
	int *v;

	bpf_iter_num_new(&it, 0, 100);
	while ((v = bpf_iter_num_next(&it)))
		if (*v == 7)
			break;
	bpf_iter_num_destroy(&it);
	return 0;
}

SEC("raw_tracepoint/sys_enter")
int not_destroyed(void *ctx)
{
	struct bpf_iter_num it;

	bpf_iter_num_new(&it, 0, 3);
	bpf_iter_num_next(&it);
	return 0;
}

SEC("raw_tracepoint/sys_enter")
int next_without_new(void *ctx)
{
	struct bpf_iter_num it;

	bpf_iter_num_next(&it);
	return 0;
}

SEC("raw_tracepoint/sys_enter")
int new_twice(void *ctx)
{
	struct bpf_iter_num it;

	bpf_iter_num_new(&it, 0, 3);
	bpf_iter_num_new(&it, 0, 3);
	bpf_iter_num_destroy(&it);
	return 0;
}

SEC("raw_tracepoint/sys_enter")
int next_after_destroy(void *ctx)
{
	struct bpf_iter_num it;

	bpf_iter_num_new(&it, 0, 3);
	bpf_iter_num_destroy(&it);
	bpf_iter_num_next(&it);
	return 0;
}

SEC("raw_tracepoint/sys_enter")
int slot_overwritten(void *ctx)
{
	struct bpf_iter_num it;

	bpf_iter_num_new(&it, 0, 3);
	*(volatile __u64 *)&it = 1;
	bpf_iter_num_destroy(&it);
	return 0;
}

SEC("raw_tracepoint/sys_enter")
int slot_read(void *ctx)
{
	struct bpf_iter_num it;
	__u64 x;

	bpf_iter_num_new(&it, 0, 3);
	x = *(volatile __u64 *)&it;
	bpf_iter_num_destroy(&it);
	return x;
}

SEC("raw_tracepoint/sys_enter")
int element_not_checked(void *ctx)
{
	struct bpf_iter_num it;
	int *v;

	bpf_iter_num_new(&it, 0, 3);
	v = bpf_iter_num_next(&it);
	out[1] = *v;
	bpf_iter_num_destroy(&it);
	return 0;
}

SEC("raw_tracepoint/sys_enter")
int sum_unbounded_index(void *ctx)
{
	struct bpf_iter_num it;
	int *v, i = 0;

	bpf_iter_num_new(&it, 0, 16);
	while ((v = bpf_iter_num_next(&it))) {
		out[i] = *v;
		i++;
	}
	bpf_iter_num_destroy(&it);
	return 0;
}

SEC("raw_tracepoint/sys_enter")
int sum_bounded_index(void *ctx)
{
	struct bpf_iter_num it;
	int *v, i = 0;

	bpf_iter_num_new(&it, 0, 16);
	while ((v = bpf_iter_num_next(&it))) {
		if (i < 16)
			out[i] = *v;
		i++;
	}
	bpf_iter_num_destroy(&it);
	return 0;
}

SEC("raw_tracepoint/sys_enter")
int misaligned(void *ctx)
{
	char space[24];
	struct bpf_iter_num *it = (void *)(space + 4);

	bpf_iter_num_new(it, 0, 3);
	bpf_iter_num_destroy(it);
	return 0;
}

static __attribute__((noinline)) int step(struct bpf_iter_num *it)
{
	int *v = bpf_iter_num_next(it);

	return v ? *v : -1;
}

SEC("raw_tracepoint/sys_enter")
int stepped_by_callee(void *ctx)
{
	struct bpf_iter_num it;
	int n = 0;

	bpf_iter_num_new(&it, 0, 9);
	for (int i = 0; i < 3; i++)
		n += step(&it);
	bpf_iter_num_destroy(&it);
	return n;
}
