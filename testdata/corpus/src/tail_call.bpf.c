/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 8);
	__type(key, __u32);
	__type(value, __u32);
} jumps SEC(".maps");

SEC("xdp")
int enter(struct xdp_md *ctx)
{
	bpf_tail_call(ctx, &jumps, 3);
	return XDP_DROP;
}

SEC("xdp")
int by_queue(struct xdp_md *ctx)
{
	bpf_tail_call(ctx, &jumps, ctx->rx_queue_index);
	bpf_tail_call(ctx, &jumps, 0);
	return XDP_PASS;
}
