/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf.h"

struct inner {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u64);
} inner_a SEC(".maps"), inner_b SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 2);
	__type(key, __u32);
	__array(values, struct inner);
} outer SEC(".maps") = { .values = { &inner_a, &inner_b } };

SEC("tc")
int two_levels(struct __sk_buff *skb)
{
	__u32 i = skb->ifindex & 1, k = 2;
	void *in = bpf_map_lookup_elem(&outer, &i);
	__u64 *v;

	if (!in)
		return 0;
	v = bpf_map_lookup_elem(in, &k);
	if (v)
		*v += skb->len;
	return 0;
}
