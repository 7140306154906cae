/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf.h"

SEC("tracepoint/raw_syscalls/sys_enter")
int sum_bounded(void *ctx)
{
	__u64 n = bpf_get_current_pid_tgid() & 31, sum = 0;
	__u64 i;

#pragma clang loop unroll(disable)
	for (i = 0; i < n; i++) {
		barrier_var(sum);
		sum += i ^ 5;
	}
	return sum > 100;
}

SEC("tracepoint/raw_syscalls/sys_exit")
int nested(void *ctx)
{
	volatile int a[8];
	int i, j, n = 0;

#pragma clang loop unroll(disable)
	for (i = 0; i < 8; i++) {
		a[i & 7] = i;
#pragma clang loop unroll(disable)
		for (j = 0; j < 3; j++)
			n += a[j & 7] ^ i;
	}
	return n & 1;
}
