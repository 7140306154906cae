/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf.h"

struct event {
	__u32 pid;
	__u32 uid;
	char comm[16];
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} events SEC(".maps");

SEC("tracepoint/sched/sched_process_exec")
int reserve(void *ctx)
{
	struct event *e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);

	if (!e)
		return 0;
	e->pid = bpf_get_current_pid_tgid() >> 32;
	e->uid = bpf_get_current_uid_gid();
	bpf_get_current_comm(e->comm, sizeof(e->comm));
	bpf_ringbuf_submit(e, 0);
	return 0;
}

SEC("tracepoint/sched/sched_process_exit")
int maybe_discard(void *ctx)
{
	struct event *e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);

	if (!e)
		return 0;
	e->pid = bpf_get_current_pid_tgid();
	e->uid = 0;
	__builtin_memset(e->comm, 0, sizeof(e->comm));
	if (e->pid & 1)
		bpf_ringbuf_discard(e, BPF_RB_NO_WAKEUP);
	else
		bpf_ringbuf_submit(e, 0);
	return 0;
}

SEC("tracepoint/sched/sched_process_fork")
int copy_out(void *ctx)
{
	struct event e = { .pid = 7 };

	bpf_ringbuf_output(&events, &e, sizeof(e), 0);
	return bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA) > 100;
}
