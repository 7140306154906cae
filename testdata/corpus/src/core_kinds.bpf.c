/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf.h"

#include <bpf/bpf_core_read.h>

struct task_struct {
	int pid;
	int no_such_field;
	unsigned int sched_reset_on_fork : 1;
	unsigned int in_execve : 1;
	struct mm_struct *mm;
} RELO;

struct mm_struct {
	unsigned long start_code;
} RELO;

struct task_struct___old {
	long state;
} RELO;

struct task_struct___new {
	unsigned int __state;
} RELO;

enum pid_type {
	PIDTYPE_PID,
	PIDTYPE_TGID,
};

SEC("kprobe/do_exit")
int every_kind(void *ctx)
{
	struct task_struct *t = (void *)bpf_get_current_task();
	unsigned long r = 0;

	if (bpf_core_field_exists(t->no_such_field))
		r += 1;
	if (bpf_core_field_exists(((struct task_struct___old *)t)->state))
		r += 2;
	else
		r += bpf_core_field_size(((struct task_struct___new *)t)->__state);
	r += bpf_core_field_offset(struct task_struct, mm);
	r += BPF_CORE_READ_BITFIELD_PROBED(t, sched_reset_on_fork);
	r += BPF_CORE_READ(t, mm, start_code);
	if (bpf_core_type_exists(struct mm_struct))
		r += bpf_core_type_size(struct mm_struct);
	if (bpf_core_enum_value_exists(enum pid_type, PIDTYPE_TGID))
		r += bpf_core_enum_value(enum pid_type, PIDTYPE_TGID);
	r += bpf_core_type_id_local(struct mm_struct) != 0;
	r += bpf_core_type_id_kernel(struct mm_struct) != 0;
	return r != 0;
}
