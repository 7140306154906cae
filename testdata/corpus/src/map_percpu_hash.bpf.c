/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 64);
	__type(key, __u64);
	__type(value, __u64);
} per_task SEC(".maps");

SEC("raw_tracepoint/sched_switch")
int switched(struct bpf_raw_tracepoint_args *ctx)
{
	__u64 key = bpf_get_current_pid_tgid(), zero = 0, *v;

	v = bpf_map_lookup_elem(&per_task, &key);
	if (!v) {
		bpf_map_update_elem(&per_task, &key, &zero, BPF_ANY);
		return 0;
	}
	*v += ctx->args[0] & 1;
	return 0;
}
