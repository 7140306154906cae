/* SPDX-License-Identifier: BSD-2-Clause */
/* A helper for GPL programs only, called by one that is not. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Proprietary";

SEC("kprobe/do_exit")
int gpl_only(void *ctx)
{
	static const char fmt[] = "x";

	bpf_trace_printk(fmt, sizeof(fmt));
	return 0;
}

SEC("xdp")
int not_gpl_but_fine(struct xdp_md *ctx)
{
	return XDP_PASS;
}
