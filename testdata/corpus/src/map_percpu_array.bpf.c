/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u64);
} stats SEC(".maps");

SEC("xdp")
int count_len(struct xdp_md *ctx)
{
	__u32 key = ctx->rx_queue_index & 3;
	__u64 *n = bpf_map_lookup_elem(&stats, &key);

	if (!n)
		return XDP_ABORTED;
	*n += ctx->data_end - ctx->data;
	return XDP_PASS;
}
