/* SPDX-License-Identifier: BSD-2-Clause */
/* Helpers that call back: maps, loops, tasks, rings. */
#include "kfuncs.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8);
	__type(key, __u32);
	__type(value, __u64);
} hash SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_USER_RINGBUF);
	__uint(max_entries, 4096);
} commands SEC(".maps");

struct work_value {
	struct bpf_wq wq;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, int);
	__type(value, struct work_value);
} works SEC(".maps"), other_works SEC(".maps");

extern int bpf_wq_init(struct bpf_wq *wq, void *p__map, unsigned int flags) __ksym;
extern int bpf_wq_start(struct bpf_wq *wq, unsigned int flags) __ksym;
extern int bpf_wq_set_callback_impl(struct bpf_wq *wq, int(callback)(void *map, int *key, void *value), unsigned int flags,
				    void *aux__ign) __ksym;

struct sum {
	long n;
	int left;
};

static long add(void *map, __u32 *key, __u64 *value, struct sum *s)
{
	s->n += *value;
	*value = 0;
	return 0;
}

SEC("tc")
int for_each_sum(struct __sk_buff *skb)
{
	struct sum s = {};

	bpf_for_each_map_elem(&hash, add, &s, 0);
	return s.n & 1;
}

static long writes_key(void *map, __u32 *key, __u64 *value, void *p)
{
	*key = 1;
	return 0;
}

SEC("tc")
int for_each_writes_key(struct __sk_buff *skb)
{
	bpf_for_each_map_elem(&hash, writes_key, 0, 0);
	return 0;
}

static long deletes(void *map, __u32 *key, __u64 *value, void *p)
{
	return bpf_map_delete_elem(&hash, key) != 0;
}

SEC("tc")
int for_each_deletes(struct __sk_buff *skb)
{
	bpf_for_each_map_elem(&hash, deletes, 0, 0);
	return 0;
}

static long beyond_value(void *map, __u32 *key, __u64 *value, void *p)
{
	return value[1];
}

SEC("tc")
int for_each_beyond_value(struct __sk_buff *skb)
{
	bpf_for_each_map_elem(&hash, beyond_value, 0, 0);
	return 0;
}

static long inner(__u32 i, struct sum *s)
{
	s->n += i;
	return s->n > 1000;
}

static long outer(__u32 i, struct sum *s)
{
	bpf_loop(i, inner, s, 0);
	return s->left-- == 0;
}

SEC("tc")
int loops_in_loops(struct __sk_buff *skb)
{
	struct sum s = { .left = 10 };

	bpf_loop(100, outer, &s, 0);
	return s.n & 1;
}

static long breaks_caller(__u32 i, int **p)
{
	*p = 0;
	return 0;
}

SEC("tc")
int loop_changes_pointer(struct __sk_buff *skb)
{
	int x = 1, *p = &x;

	bpf_loop(3, breaks_caller, &p, 0);
	return *p;
}

SEC("tc")
int loop_with_flags(struct __sk_buff *skb)
{
	struct sum s = {};

	return bpf_loop(skb->len, inner, &s, skb->mark);
}

SEC("tc")
int loop_of_variable_function(struct __sk_buff *skb)
{
	return bpf_loop(3, (void *)(long)skb->mark, 0, 0);
}

static long command(struct bpf_dynptr *d, struct sum *s)
{
	int *p = bpf_dynptr_data(d, 0, 4);

	if (p)
		s->n += *p;
	return 0;
}

SEC("tc")
int drains_ring(struct __sk_buff *skb)
{
	struct sum s = {};

	bpf_user_ringbuf_drain(&commands, command, &s, 0);
	return s.n & 1;
}

static long writes_command(struct bpf_dynptr *d, void *p)
{
	int x = 0;

	bpf_dynptr_write(d, 0, &x, sizeof(x), 0);
	return 0;
}

SEC("tc")
int drain_writes(struct __sk_buff *skb)
{
	bpf_user_ringbuf_drain(&commands, writes_command, 0, 0);
	return 0;
}

static int later(void *map, int *key, void *value)
{
	char b[4];

	bpf_copy_from_user(b, sizeof(b), (void *)1);
	return 0;
}

SEC("tc")
int queues_work(struct __sk_buff *skb)
{
	struct work_value *v;
	int k = 0;

	v = bpf_map_lookup_elem(&works, &k);
	if (!v)
		return 0;
	if (bpf_wq_init(&v->wq, &works, 0))
		return 0;
	bpf_wq_set_callback_impl(&v->wq, later, 0, 0);
	bpf_wq_start(&v->wq, 0);
	return 0;
}

SEC("tc")
int work_of_other_map(struct __sk_buff *skb)
{
	struct work_value *v;
	int k = 0;

	v = bpf_map_lookup_elem(&works, &k);
	if (v)
		bpf_wq_init(&v->wq, &other_works, 0);
	return 0;
}

static long found(struct task_struct *task, void *vma, void *p)
{
	return 0;
}

SEC("kprobe/do_nanosleep")
int finds_area(void *ctx)
{
	struct task_struct *t = bpf_get_current_task_btf();

	return bpf_find_vma(t, 4096, found, 0, 0);
}
