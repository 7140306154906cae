/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 8);
	__type(value, __u32);
} q SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 8);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64);
	__type(value, __u32);
} routes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_PERCPU_HASH);
	__uint(max_entries, 8);
	__type(key, __u32);
	__type(value, __u32);
} lru SEC(".maps");

SEC("tc")
int other_maps(struct __sk_buff *skb)
{
	__u32 v = skb->len, *p;
	__u64 k = 32 | ((__u64)skb->hash << 32);

	bpf_map_push_elem(&q, &v, BPF_EXIST);
	if (bpf_map_peek_elem(&q, &v) == 0)
		bpf_map_pop_elem(&q, &v);
	p = bpf_map_lookup_elem(&routes, &k);
	if (p)
		v += *p;
	p = bpf_map_lookup_elem(&lru, &v);
	return p ? *p : 0;
}
