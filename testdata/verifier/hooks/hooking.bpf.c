/* SPDX-License-Identifier: BSD-2-Clause */
/* Programs that hook into those of target.bpf.c. */
#include "bpf.h"

SEC("fexit/classifies")
int watches(unsigned long long *ctx)
{
	return 0;
}

SEC("freplace/choose")
int chooses_otherwise(struct bpf_sock_addr *ctx)
{
	return ctx->user_ip4 == 0;
}
