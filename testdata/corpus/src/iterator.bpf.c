/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf.h"

struct bpf_iter_num {
	__u64 __opaque[1];
} __attribute__((aligned(8)));
extern int bpf_iter_num_new(struct bpf_iter_num *it, int start, int end) __ksym;
extern int *bpf_iter_num_next(struct bpf_iter_num *it) __ksym;
extern void bpf_iter_num_destroy(struct bpf_iter_num *it) __ksym;

int sums[10];

SEC("raw_tracepoint/sys_enter")
int open_coded(void *ctx)
{
	struct bpf_iter_num it;
	int *v;

	bpf_iter_num_new(&it, 0, 10);
	while ((v = bpf_iter_num_next(&it))) {
		if (*v >= 0 && *v < 10)
			sums[*v]++;
	}
	bpf_iter_num_destroy(&it);
	return 0;
}
