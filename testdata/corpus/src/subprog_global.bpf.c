/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf.h"

struct pair {
	__u32 a;
	__u32 b;
};

__attribute__((noinline)) int add(int a, int b)
{
	return a + b;
}

__attribute__((noinline)) int through(struct pair *p)
{
	if (!p)
		return 0;
	return p->a * 2 + p->b;
}

__attribute__((noinline)) int with_ctx(struct xdp_md *ctx, int k)
{
	return ctx->rx_queue_index + k;
}

SEC("xdp")
int globals(struct xdp_md *ctx)
{
	struct pair p = { .a = 1, .b = ctx->ingress_ifindex };

	return add(through(&p), with_ctx(ctx, 3)) & 3;
}
