/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf.h"

struct acc {
	__u64 sum;
	__u32 limit;
};

static long step(__u64 i, void *p)
{
	struct acc *a = p;

	a->sum += i;
	return i > a->limit;
}

SEC("tracepoint/raw_syscalls/sys_enter")
int looped(void *ctx)
{
	struct acc a = { .limit = 10 };

	bpf_loop(100, step, &a, 0);
	return a.sum != 0;
}
