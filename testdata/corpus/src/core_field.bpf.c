/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf.h"

struct task_struct {
	int pid;
	int tgid;
	struct task_struct *group_leader;
	char comm[16];
} RELO;

SEC("tracepoint/sched/sched_process_exec")
int leader(void *ctx)
{
	struct task_struct *t = (void *)bpf_get_current_task(), *l;
	int pid = 0;
	char comm[16] = {};

	bpf_probe_read_kernel(&l, sizeof(l), &t->group_leader);
	bpf_probe_read_kernel(&pid, sizeof(pid), &l->pid);
	bpf_probe_read_kernel(comm, sizeof(comm), &l->comm);
	return pid + comm[0];
}
