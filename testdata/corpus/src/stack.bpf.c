/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf.h"

SEC("tracepoint/raw_syscalls/sys_enter")
int stack_variable(void *ctx)
{
	char buf[32] = {};
	__u64 i = bpf_ktime_get_ns() & 31;

	barrier_var(i);
	if (i > 31)
		return 0;
	((volatile char *)buf)[i] = 1;
	return ((volatile char *)buf)[i ^ 1];
}

SEC("tracepoint/raw_syscalls/sys_exit")
int big_frame(void *ctx)
{
	volatile __u64 buf[60];
	int i;

	for (i = 0; i < 60; i++)
		buf[i] = i;
	return buf[bpf_get_smp_processor_id() & 7];
}
