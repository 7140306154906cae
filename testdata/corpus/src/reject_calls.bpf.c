/* SPDX-License-Identifier: BSD-2-Clause */
/* Programs that Linux refuses, each for a reason of its own. */
#include "bpf.h"

__attribute__((noinline)) int global_reads(int *p)
{
	return *p;
}

SEC("xdp")
int unchecked_global_argument(struct xdp_md *ctx)
{
	int x = 1;

	return global_reads(&x);
}

__attribute__((noinline)) int global_bad(__u64 x)
{
	return *(volatile int *)x;
}

SEC("xdp")
int bad_global_body(struct xdp_md *ctx)
{
	return global_bad(4);
}

#define DEEP(name, inner) \
	static __attribute__((noinline)) int name(int x) { volatile char b[8]; b[x & 7] = x; return (inner) + b[1]; }

DEEP(deep8, 1)
DEEP(deep7, deep8(x))
DEEP(deep6, deep7(x))
DEEP(deep5, deep6(x))
DEEP(deep4, deep5(x))
DEEP(deep3, deep4(x))
DEEP(deep2, deep3(x))
DEEP(deep1, deep2(x))

SEC("xdp")
int too_deep(struct xdp_md *ctx)
{
	return deep1(ctx->rx_queue_index);
}

static __attribute__((noinline)) int wide2(int x) { volatile char b[300]; b[x & 255] = x; return b[0]; }
static __attribute__((noinline)) int wide1(int x) { volatile char b[300]; b[x & 255] = x; return wide2(x) + b[1]; }

SEC("tc")
int too_much_stack(struct __sk_buff *skb)
{
	return wide1(skb->mark);
}

static __attribute__((noinline)) int stash(void **p)
{
	void *volatile here;

	*(void *volatile *)p = (void *)&here;
	return 0;
}

SEC("tc")
int frame_pointer_in_caller(struct __sk_buff *skb)
{
	void *slot = 0;

	return stash(&slot);
}

static long two(__u64 i, void *p)
{
	return 2;
}

SEC("tc")
int callback_range(struct __sk_buff *skb)
{
	bpf_loop(3, two, 0, 0);
	return 0;
}

struct value {
	struct bpf_spin_lock lock;
	__u32 n;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 3);
	__type(key, __u32);
	__type(value, struct value);
} locked SEC(".maps");

SEC("tc")
int lock_not_released(struct __sk_buff *skb)
{
	__u32 k = 0;
	struct value *v = bpf_map_lookup_elem(&locked, &k);

	if (v)
		bpf_spin_lock(&v->lock);
	return 0;
}

SEC("tc")
int call_under_lock(struct __sk_buff *skb)
{
	__u32 k = 0;
	struct value *v = bpf_map_lookup_elem(&locked, &k);

	if (!v)
		return 0;
	bpf_spin_lock(&v->lock);
	v->n = bpf_ktime_get_ns();
	bpf_spin_unlock(&v->lock);
	return 0;
}

SEC("tc")
int touches_lock(struct __sk_buff *skb)
{
	__u32 k = 0;
	struct value *v = bpf_map_lookup_elem(&locked, &k);

	if (v)
		*(volatile __u32 *)&v->lock = 1;
	return 0;
}
