/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf.h"

SEC("xdp")
int swap_mac(struct xdp_md *ctx)
{
	__u8 *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	__u8 tmp;
	int i;

	if (data + 12 > end)
		return XDP_PASS;
	for (i = 0; i < 6; i++) {
		tmp = data[i];
		data[i] = data[i + 6];
		data[i + 6] = tmp;
	}
	return XDP_TX;
}

SEC("xdp")
int with_meta(struct xdp_md *ctx)
{
	__u32 *meta;

	if (bpf_xdp_adjust_meta(ctx, -4))
		return XDP_ABORTED;
	meta = (void *)(long)ctx->data_meta;
	if ((void *)(meta + 1) > (void *)(long)ctx->data)
		return XDP_ABORTED;
	*meta = ctx->ingress_ifindex;
	return XDP_PASS;
}

SEC("xdp")
int shrink(struct xdp_md *ctx)
{
	__u16 *p;

	if (bpf_xdp_adjust_head(ctx, 14))
		return XDP_DROP;
	p = (void *)(long)ctx->data;
	if ((void *)(p + 1) > (void *)(long)ctx->data_end)
		return XDP_DROP;
	return *p == 0x45 ? XDP_PASS : XDP_DROP;
}
