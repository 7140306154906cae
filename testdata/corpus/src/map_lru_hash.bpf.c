/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf.h"

struct key {
	__u32 saddr;
	__u16 port;
	__u16 pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 256);
	__type(key, struct key);
	__type(value, __u32);
} recent SEC(".maps");

SEC("cgroup_skb/ingress")
int remember(struct __sk_buff *skb)
{
	struct key k = { .saddr = skb->remote_ip4, .port = skb->remote_port };
	__u32 one = 1, *seen = bpf_map_lookup_elem(&recent, &k);

	if (seen) {
		*seen += 1;
		return *seen < 1000;
	}
	bpf_map_update_elem(&recent, &k, &one, BPF_ANY);
	return 1;
}

SEC("cgroup_skb/egress")
int let_out(struct __sk_buff *skb)
{
	return skb->len > 1500 ? 0 : 1;
}
