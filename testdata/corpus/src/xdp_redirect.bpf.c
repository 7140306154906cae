/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf.h"

SEC("xdp")
int redirects(struct xdp_md *ctx)
{
	struct bpf_fib_lookup fib = { .family = 2, .ifindex = ctx->ingress_ifindex };

	if (bpf_fib_lookup(ctx, &fib, sizeof(fib), 0) == 0)
		return bpf_redirect(fib.ifindex, 0);
	return XDP_PASS;
}

struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u32);
} devs SEC(".maps");

SEC("xdp")
int redirect_map(struct xdp_md *ctx)
{
	return bpf_redirect_map(&devs, ctx->rx_queue_index, XDP_DROP);
}
