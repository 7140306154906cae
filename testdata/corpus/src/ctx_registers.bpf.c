/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf.h"

SEC("kprobe/do_sys_openat2")
int registers(struct pt_regs *ctx)
{
	unsigned long *r = (void *)ctx;

	return r[14] + r[13] + *(volatile unsigned int *)((char *)ctx + 80);
}

SEC("raw_tracepoint/sys_enter")
int raw_args(struct bpf_raw_tracepoint_args *ctx)
{
	return ctx->args[0] != 0 && ctx->args[1] == 59;
}
