/* SPDX-License-Identifier: BSD-2-Clause */
/* Programs that attach to types of the kernel, by all kinds of prefixes. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("fentry/bpf_fentry_test1")
int entry(__u64 *ctx)
{
	return 0;
}

SEC("tp_btf/sched_switch")
int tracepoint(__u64 *ctx)
{
	return 0;
}

SEC("iter/task")
int iterator(void *ctx)
{
	return 0;
}

SEC("lsm.s/file_open")
int hook(__u64 *ctx)
{
	return 0;
}

SEC("fmod_ret/bpf_modify_return_test")
int changes(__u64 *ctx)
{
	return 0;
}

SEC("kprobe/do_nanosleep")
int probe(void *ctx)
{
	return 0;
}

char _license[] SEC("license") = "GPL";
