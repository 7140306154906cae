/* SPDX-License-Identifier: BSD-2-Clause */
/* What each program type that sees a packet may read and write of its __sk_buff. */
#include "bpf.h"

#define READ(x) (void)*(volatile typeof(x) *)&(x)

SEC("tc")
int tc_reads(struct __sk_buff *skb)
{
	READ(skb->len);
	READ(skb->pkt_type);
	READ(skb->mark);
	READ(skb->queue_mapping);
	READ(skb->protocol);
	READ(skb->vlan_present);
	READ(skb->vlan_tci);
	READ(skb->vlan_proto);
	READ(skb->priority);
	READ(skb->ingress_ifindex);
	READ(skb->ifindex);
	READ(skb->tc_index);
	READ(skb->cb[0]);
	READ(skb->cb[4]);
	READ(skb->hash);
	READ(skb->tc_classid);
	READ(skb->napi_id);
	READ(skb->tstamp);
	READ(skb->wire_len);
	READ(skb->gso_segs);
	READ(skb->gso_size);
	READ(skb->tstamp_type);
	READ(skb->hwtstamp);
	return 0;
}

SEC("tc")
int tc_narrow_reads(struct __sk_buff *skb)
{
	READ(*(__u8 *)&skb->mark);
	READ(*((__u8 *)&skb->mark + 3));
	READ(*((__u16 *)&skb->hash + 1));
	READ(*(__u8 *)&skb->pkt_type);
	READ(*(__u16 *)&skb->protocol);
	READ(*((__u8 *)&skb->cb[1] + 1));
	READ(*(__u64 *)&skb->cb[2]);
	return 0;
}

SEC("tc")
int tc_writes(struct __sk_buff *skb)
{
	skb->mark = 1;
	skb->queue_mapping = 2;
	skb->priority = 3;
	skb->tc_index = 4;
	skb->cb[0] = 5;
	*((__u8 *)&skb->cb[1] + 1) = 6;
	*(__u64 *)&skb->cb[2] = 7;
	skb->tc_classid = 8;
	skb->tstamp = 9;
	return 0;
}

SEC("tc")
int tc_writes_len(struct __sk_buff *skb)
{
	skb->len = 1;
	return 0;
}

SEC("tc")
int tc_writes_part_of_mark(struct __sk_buff *skb)
{
	*(volatile __u8 *)&skb->mark = 1;
	return 0;
}

SEC("tc")
int tc_reads_family(struct __sk_buff *skb)
{
	return skb->family;
}

SEC("tc")
int tc_reads_half_tstamp(struct __sk_buff *skb)
{
	return *(volatile __u32 *)&skb->tstamp;
}

SEC("tc")
int tc_reads_misaligned(struct __sk_buff *skb)
{
	return *(volatile __u32 *)((char *)skb + 2);
}

SEC("tc")
int tc_reads_beyond(struct __sk_buff *skb)
{
	return *(volatile __u32 *)(skb + 1);
}

SEC("tc")
int tc_variable_offset(struct __sk_buff *skb)
{
	return *(volatile __u32 *)((char *)skb + (skb->mark & 4));
}

SEC("socket")
int socket_reads(struct __sk_buff *skb)
{
	READ(skb->len);
	READ(skb->mark);
	READ(skb->cb[3]);
	skb->cb[3] = 1;
	return skb->hash;
}

SEC("socket")
int socket_writes_mark(struct __sk_buff *skb)
{
	skb->mark = 1;
	return 0;
}

SEC("socket")
int socket_reads_data(struct __sk_buff *skb)
{
	return skb->data;
}

SEC("socket")
int socket_reads_classid(struct __sk_buff *skb)
{
	return skb->tc_classid;
}

SEC("cgroup_skb/ingress")
int cgroup_reads(struct __sk_buff *skb)
{
	__u8 *p = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;

	READ(skb->tstamp);
	if (p + 20 > end)
		return 1;
	return p[9] == 6;
}

SEC("cgroup_skb/ingress")
int cgroup_writes_packet(struct __sk_buff *skb)
{
	__u8 *p = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;

	if (p + 20 > end)
		return 1;
	p[9] = 6;
	return 1;
}

SEC("cgroup_skb/egress")
int cgroup_returns_three(struct __sk_buff *skb)
{
	return 3;
}

SEC("cgroup_skb/ingress")
int cgroup_returns_three_ingress(struct __sk_buff *skb)
{
	return 3;
}

SEC("lwt_xmit")
int xmit(struct __sk_buff *skb)
{
	__u8 *p = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;

	skb->mark = 3;
	skb->priority = 1;
	if (p + 20 > end)
		return 2;
	p[8] = 64;
	return 0;
}

SEC("lwt_in")
int lwt_in_writes_packet(struct __sk_buff *skb)
{
	__u8 *p = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;

	if (p + 20 > end)
		return 2;
	p[8] = 64;
	return 0;
}

SEC("lwt_out")
int lwt_out_reads(struct __sk_buff *skb)
{
	READ(skb->cb[0]);
	return skb->len > 9;
}

SEC("lwt_seg6local")
int seg6local(struct __sk_buff *skb)
{
	__u64 x = 0;

	bpf_lwt_seg6_store_bytes(skb, 0, &x, 8);
	return 0;
}
