/* SPDX-License-Identifier: BSD-2-Clause */
/* bpf_throw, with and without a callback of one's own. */
#include "kfuncs.h"

#define CALLBACK(name) __attribute__((btf_decl_tag("exception_callback:" #name)))

SEC("tc")
int throws(struct __sk_buff *skb)
{
	if (skb->mark == 7)
		bpf_throw(3);
	return 0;
}

__attribute__((noinline)) int caught(__u64 cookie)
{
	return cookie + 1;
}

SEC("tc")
CALLBACK(caught)
int throws_to_callback(struct __sk_buff *skb)
{
	bpf_throw(skb->len);
	return 1;
}

static __attribute__((noinline)) int deeper(struct __sk_buff *skb)
{
	if (skb->len > 100)
		bpf_throw(skb->len);
	return skb->mark;
}

SEC("tc")
int throws_below(struct __sk_buff *skb)
{
	return deeper(skb) + 1;
}

SEC("tc")
int throws_with_reference(struct __sk_buff *skb)
{
	struct bpf_sock_tuple t = {};
	struct bpf_sock *sk = bpf_sk_lookup_tcp(skb, &t, sizeof(t.ipv4), -1, 0);

	if (!sk)
		return 0;
	bpf_throw(1);
	bpf_sk_release(sk);
	return 0;
}

SEC("tc")
int throws_in_rcu(struct __sk_buff *skb)
{
	bpf_rcu_read_lock();
	bpf_throw(1);
	bpf_rcu_read_unlock();
	return 0;
}

__attribute__((noinline)) int wrong_callback(__u64 cookie, __u64 more)
{
	return cookie + more;
}

SEC("tc")
CALLBACK(wrong_callback)
int callback_of_two(struct __sk_buff *skb)
{
	bpf_throw(1);
	return 0;
}

__attribute__((noinline)) int again(__u64 cookie)
{
	bpf_throw(cookie);
	return 0;
}

SEC("tc")
CALLBACK(again)
int callback_throws(struct __sk_buff *skb)
{
	bpf_throw(1);
	return 0;
}

static long from_loop(__u32 i, void *p)
{
	bpf_throw(i);
	return 0;
}

SEC("tc")
int throws_in_loop_callback(struct __sk_buff *skb)
{
	bpf_loop(5, from_loop, 0, 0);
	return 0;
}

SEC("cgroup_skb/egress")
int cookie_out_of_range(struct __sk_buff *skb)
{
	bpf_throw(77);
	return 1;
}
