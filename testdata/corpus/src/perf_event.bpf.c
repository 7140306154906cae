/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(key_size, 4);
	__uint(value_size, 4);
} out SEC(".maps");

struct sample {
	__u64 when;
	__u64 ip;
};

SEC("kprobe/tcp_v4_connect")
int report(void *ctx)
{
	struct sample s = { .when = bpf_ktime_get_ns() };

	bpf_perf_event_output(ctx, &out, BPF_F_CURRENT_CPU, &s, sizeof(s));
	return 0;
}

SEC("xdp")
int sample_packet(struct xdp_md *ctx)
{
	__u64 flags = BPF_F_CURRENT_CPU | ((__u64)64 << 32);
	struct sample s = { .when = 1, .ip = 2 };

	bpf_perf_event_output(ctx, &out, flags, &s, sizeof(s));
	return XDP_PASS;
}
