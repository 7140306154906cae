/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u32);
} jumps SEC(".maps");

static __attribute__((noinline)) int from_subprog(struct __sk_buff *skb, int n)
{
	if (n > 3)
		bpf_tail_call(skb, &jumps, 1);
	return n;
}

SEC("tc")
int tail_in_subprog(struct __sk_buff *skb)
{
	return from_subprog(skb, skb->mark) + from_subprog(skb, 4);
}
