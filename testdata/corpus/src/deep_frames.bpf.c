/* SPDX-License-Identifier: BSD-2-Clause */
/* Stack depths, private stacks, and what frames may pass to each other. */
#include "kfuncs.h"

#define FRAME(name, size, call) static __attribute__((noinline)) int name(int x) \
	{ volatile char b[size]; b[x & 15] = x; return b[1] + (call); }

FRAME(leaf_400, 400, 0)
FRAME(leaf_200, 200, 0)
FRAME(above_200, 200, leaf_200(x))
FRAME(above_400, 400, leaf_400(x))
FRAME(leaf_480, 480, 0)

SEC("kprobe/do_nanosleep")
int private_stack(void *ctx)
{
	return above_200(bpf_get_smp_processor_id());
}

SEC("kprobe/do_nanosleep")
int private_stack_of_subprogram(void *ctx)
{
	return leaf_480(bpf_get_smp_processor_id());
}

SEC("kprobe/do_nanosleep")
int private_stack_too_deep(void *ctx)
{
	return above_400(bpf_get_smp_processor_id());
}

SEC("tc")
int shared_stack_fits(struct __sk_buff *skb)
{
	return above_200(skb->len);
}

SEC("tc")
int shared_stack_too_deep(struct __sk_buff *skb)
{
	return above_400(skb->len);
}

static __attribute__((noinline)) long fill(long *p, int n)
{
	p[0] = n;
	p[1] = n + 1;
	return 0;
}

SEC("tc")
int filled_by_callee(struct __sk_buff *skb)
{
	long a[2];

	fill(a, skb->len);
	return a[0] + a[1];
}

static __attribute__((noinline)) long fill_half(long *p, int n)
{
	p[0] = n;
	return 0;
}

SEC("cgroup_skb/egress")
int half_filled_by_callee(struct __sk_buff *skb)
{
	long a[2];

	fill_half(a, skb->len);
	return a[0] + a[1] > 0;
}

static __attribute__((noinline)) int recurse(int n)
{
	volatile int m = n;

	return m ? recurse(m - 1) : 0;
}

SEC("tc")
int recursion(struct __sk_buff *skb)
{
	return recurse(skb->len);
}

__attribute__((noinline)) int global_with_context(struct __sk_buff *skb)
{
	return skb->mark;
}

SEC("tc")
int passes_context(struct __sk_buff *skb)
{
	return global_with_context(skb);
}

SEC("tc")
int passes_moved_context(struct __sk_buff *skb)
{
	return global_with_context((void *)((char *)skb + 8));
}

__attribute__((noinline)) int global_nonnull(int *p __attribute__((btf_decl_tag("arg:nonnull"))))
{
	return *p;
}

SEC("tc")
int passes_stack(struct __sk_buff *skb)
{
	int x = skb->len;

	return global_nonnull(&x);
}

SEC("tc")
int passes_null(struct __sk_buff *skb)
{
	return global_nonnull(0);
}

__attribute__((noinline)) int global_sized(int *p)
{
	return p ? *p : 3;
}

SEC("tc")
int passes_maybe_null(struct __sk_buff *skb)
{
	return global_sized(0);
}

SEC("tc")
int passes_short(struct __sk_buff *skb)
{
	char x = 1;

	return global_sized((int *)&x);
}

__attribute__((weak)) int global_weak(int a)
{
	return a + 1;
}

SEC("tc")
int calls_weak(struct __sk_buff *skb)
{
	return global_weak(skb->len);
}

__attribute__((noinline)) void global_void(int *p)
{
	if (p)
		*p = 1;
}

SEC("tc")
int calls_void(struct __sk_buff *skb)
{
	int x;

	global_void(&x);
	return x;
}
