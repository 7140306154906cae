/* SPDX-License-Identifier: BSD-2-Clause */
/* Packet ranges: how they are won and how they are lost. */
#include "bpf.h"

struct eth { __u8 to[6], from[6]; __u16 proto; };
struct ip4 { __u8 ihl:4, version:4, tos; __u16 len, id, frag; __u8 ttl, proto; __u16 sum; __u32 from, to; };

#define DATA(ctx) (void *)(long)(ctx)->data, *end = (void *)(long)(ctx)->data_end

SEC("xdp")
int variable_header(struct xdp_md *ctx)
{
	void *p = DATA(ctx);
	struct eth *eth = p;
	struct ip4 *ip = p + sizeof(*eth);
	__u8 *l4;

	if ((void *)(ip + 1) > end || eth->proto != 8)
		return 2;
	l4 = (void *)ip + ip->ihl * 4;
	if ((void *)(l4 + 4) > end)
		return 2;
	return l4[1] == 80 ? 1 : 2;
}

SEC("xdp")
int not_checked(struct xdp_md *ctx)
{
	struct eth *eth = (void *)(long)ctx->data;

	return eth->proto == 8;
}

SEC("xdp")
int checked_the_wrong_way(struct xdp_md *ctx)
{
	__u8 *p = DATA(ctx);

	if (p + 8 < (__u8 *)end)
		return 2;
	return p[4];
}

SEC("xdp")
int checked_one_less(struct xdp_md *ctx)
{
	__u8 *p = DATA(ctx);

	if (p + 8 > (__u8 *)end)
		return 2;
	return p[8] & 1;
}

SEC("xdp")
int checked_from_behind(struct xdp_md *ctx)
{
	__u8 *p = DATA(ctx);

	if ((__u8 *)end >= p + 8)
		return p[7] & 1;
	return 2;
}

SEC("xdp")
int lost_by_adjusting(struct xdp_md *ctx)
{
	__u8 *p = DATA(ctx);

	if (p + 8 > (__u8 *)end)
		return 2;
	bpf_xdp_adjust_head(ctx, -4);
	return p[0] & 1;
}

SEC("xdp")
int meta(struct xdp_md *ctx)
{
	__u32 *m = (void *)(long)ctx->data_meta;

	if ((void *)(m + 1) > (void *)(long)ctx->data)
		return 2;
	*m = 7;
	return 2;
}

SEC("xdp")
int end_moved(struct xdp_md *ctx)
{
	__u8 *p = DATA(ctx);

	end = (__u8 *)end + 1;
	asm volatile("" : "+r"(end));
	return p + 1 > (__u8 *)end ? 1 : 2;
}

SEC("xdp")
int unknown_offset(struct xdp_md *ctx)
{
	__u8 *p = DATA(ctx);
	__u64 off = ctx->rx_queue_index;

	p += off;
	if (p + 4 > (__u8 *)end)
		return 2;
	return p[3] & 1;
}

SEC("xdp")
int bounded_offset(struct xdp_md *ctx)
{
	__u8 *p = DATA(ctx);

	p += ctx->rx_queue_index & 0xfff;
	if (p + 4 > (__u8 *)end)
		return 2;
	return p[3] & 1;
}

SEC("xdp.frags")
int with_fragments(struct xdp_md *ctx)
{
	__u8 b[4];

	if (bpf_xdp_get_buff_len(ctx) < 64 || bpf_xdp_load_bytes(ctx, 60, b, sizeof(b)))
		return 1;
	return b[0] ? 2 : 1;
}

SEC("tc")
int pull_and_look_again(struct __sk_buff *skb)
{
	__u8 *p = DATA(skb);

	if (p + 40 > (__u8 *)end) {
		bpf_skb_pull_data(skb, 40);
		p = (void *)(long)skb->data;
		end = (void *)(long)skb->data_end;
		if (p + 40 > (__u8 *)end)
			return 0;
	}
	p[39] = 1;
	return 0;
}

SEC("tc")
int direct_write_of_checksum(struct __sk_buff *skb)
{
	bpf_l3_csum_replace(skb, 24, 1, 2, 2);
	bpf_l4_csum_replace(skb, 36, 1, 2, BPF_F_PSEUDO_HDR | 2);
	return bpf_skb_store_bytes(skb, 30, "abcd", 4, BPF_F_RECOMPUTE_CSUM);
}

SEC("socket")
NAKED int ld_abs(struct __sk_buff *skb)
{
	asm volatile(
		"r6 = r1;"
		"r0 = *(u16 *)skb[12];"
		"r7 = r0;"
		"r0 = *(u8 *)skb[r7];"
		"r0 = *(u32 *)skb[26];"
		"exit;");
}

SEC("socket")
NAKED int ld_abs_without_context(struct __sk_buff *skb)
{
	asm volatile(
		"r0 = *(u16 *)skb[12];"
		"exit;");
}

SEC("socket")
NAKED int ld_abs_clobbers(struct __sk_buff *skb)
{
	asm volatile(
		"r6 = r1;"
		"r3 = 5;"
		"r0 = *(u8 *)skb[0];"
		"r0 += r3;"
		"exit;");
}

SEC("xdp")
NAKED int ld_abs_of_xdp(struct xdp_md *ctx)
{
	asm volatile(
		"r6 = r1;"
		"r0 = *(u8 *)skb[0];"
		"exit;");
}
