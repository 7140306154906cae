/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf.h"

struct trace_event_raw_sys_enter {
	unsigned long long unused;
	long id;
	unsigned long args[6];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64);
	__type(value, __u64);
} started SEC(".maps");

__u64 slots[16];

SEC("tracepoint/raw_syscalls/sys_enter")
int begin(struct trace_event_raw_sys_enter *ctx)
{
	__u64 id = bpf_get_current_pid_tgid(), now = bpf_ktime_get_ns();

	if (ctx->id == 1)
		bpf_map_update_elem(&started, &id, &now, BPF_ANY);
	return 0;
}

SEC("tracepoint/raw_syscalls/sys_exit")
int end(void *ctx)
{
	__u64 id = bpf_get_current_pid_tgid(), delta, *then, slot = 0;

	then = bpf_map_lookup_elem(&started, &id);
	if (!then)
		return 0;
	delta = bpf_ktime_get_ns() - *then;
	bpf_map_delete_elem(&started, &id);
	while (delta > 1 && slot < 15) {
		delta >>= 1;
		slot++;
	}
	slots[slot & 15]++;
	return 0;
}
