/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf.h"

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
int under_lock(struct __sk_buff *skb)
{
	__u32 k = skb->ifindex;
	struct value *v = bpf_map_lookup_elem(&locked, &k);

	if (!v)
		return 0;
	bpf_spin_lock(&v->lock);
	v->n++;
	bpf_spin_unlock(&v->lock);
	return 0;
}
