/* SPDX-License-Identifier: BSD-2-Clause */
/* Programs that others hook into: hooking.bpf.c. */
#include "bpf.h"

__attribute__((weak, noinline)) int choose(struct bpf_sock_addr *ctx)
{
	return ctx->user_port != 0;
}

SEC("cgroup/connect4")
int connects(struct bpf_sock_addr *ctx)
{
	return choose(ctx) ? 1 : 0;
}

SEC("tc")
int classifies(struct __sk_buff *skb)
{
	return skb->mark & 1;
}
