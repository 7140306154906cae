/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf.h"

SEC("tracepoint/raw_syscalls/sys_enter")
int printing(void *ctx)
{
	static const char fmt[] = "pid %d comm %s";
	char comm[16], text[64];
	__u64 args[2] = { bpf_get_current_pid_tgid(), (__u64)comm };

	bpf_get_current_comm(comm, sizeof(comm));
	bpf_snprintf(text, sizeof(text), fmt, args, sizeof(args));
	bpf_trace_printk(fmt, sizeof(fmt), 1, comm);
	return bpf_strncmp(comm, sizeof(comm), "init") == 0;
}
