/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf.h"

SEC("tc")
int fields(struct __sk_buff *skb)
{
	__u32 a = skb->len + skb->protocol + skb->queue_mapping + skb->vlan_present + skb->vlan_tci + skb->priority;

	skb->mark = a ^ skb->hash;
	skb->cb[0] = skb->ifindex;
	skb->cb[3] = skb->tc_index;
	skb->tc_classid = 7;
	skb->priority = 3;
	return skb->pkt_type ? 2 : 0;
}

SEC("tc")
int direct_write(struct __sk_buff *skb)
{
	__u8 *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;

	if (data + 20 > end)
		return 0;
	data[8]--;
	*(__u32 *)(data + 12) = 0x0100007f;
	return 0;
}

SEC("tc")
int helpers(struct __sk_buff *skb)
{
	__u8 buf[14];

	if (bpf_skb_load_bytes(skb, 0, buf, sizeof(buf)))
		return 2;
	buf[0] ^= 1;
	bpf_skb_store_bytes(skb, 0, buf, sizeof(buf), BPF_F_RECOMPUTE_CSUM);
	bpf_l3_csum_replace(skb, 24, 1, 2, 2);
	return bpf_redirect(skb->ifindex, 0);
}

SEC("tc")
int narrow(struct __sk_buff *skb)
{
	__u8 *p = (void *)skb;

	return *(volatile __u8 *)(p + 1) + *(volatile __u16 *)(p + 10) + *(volatile __u8 *)(p + 0x33);
}
