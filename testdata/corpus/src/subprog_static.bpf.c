/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf.h"

static __attribute__((noinline)) __u64 mix(__u64 a, __u64 b)
{
	return (a << 7) ^ (b >> 3) ^ (a * 31);
}

static __attribute__((noinline)) __u64 fill(__u64 *buf, int n)
{
	buf[0] = mix(n, 1);
	buf[1] = mix(buf[0], n);
	return buf[1];
}

SEC("tracepoint/sched/sched_switch")
int calls(void *ctx)
{
	__u64 buf[2] = {}, r = fill(buf, bpf_get_smp_processor_id());

	return mix(r, buf[0]) & 1;
}
