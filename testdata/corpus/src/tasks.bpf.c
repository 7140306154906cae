/* SPDX-License-Identifier: BSD-2-Clause */
/* References to tasks, the walk over their fields, and iterating over them. */
#include "kfuncs.h"

long seen;

SEC("syscall")
int from_pid(void *ctx)
{
	struct task_struct *t = bpf_task_from_pid(1);

	if (!t)
		return 0;
	seen = t->pid;
	bpf_task_release(t);
	return 0;
}

SEC("syscall")
int not_released(void *ctx)
{
	struct task_struct *t = bpf_task_from_pid(1);

	if (t)
		seen = t->tgid;
	return 0;
}

SEC("syscall")
int not_checked(void *ctx)
{
	struct task_struct *t = bpf_task_from_pid(1);

	seen = t->tgid;
	bpf_task_release(t);
	return 0;
}

SEC("syscall")
int used_after_release(void *ctx)
{
	struct task_struct *t = bpf_task_from_pid(1);

	if (!t)
		return 0;
	bpf_task_release(t);
	seen = t->pid;
	return 0;
}

SEC("syscall")
int released_twice(void *ctx)
{
	struct task_struct *t = bpf_task_from_pid(1);

	if (!t)
		return 0;
	bpf_task_release(t);
	bpf_task_release(t);
	return 0;
}

SEC("syscall")
int writes_a_field(void *ctx)
{
	struct task_struct *t = bpf_task_from_pid(1);

	if (!t)
		return 0;
	*(volatile int *)&t->pid = 5;
	bpf_task_release(t);
	return 0;
}

SEC("syscall")
int follows_pointers(void *ctx)
{
	struct task_struct *t = bpf_get_current_task_btf(), *p;

	bpf_rcu_read_lock();
	p = t->real_parent;
	seen = p->pid;
	p = p->group_leader;
	seen += p->tgid + p->comm[1];
	if (p->mm)
		seen += p->mm->start_code;
	bpf_rcu_read_unlock();
	return 0;
}

SEC("syscall")
int acquires_parent(void *ctx)
{
	struct task_struct *t = bpf_get_current_task_btf(), *p;

	bpf_rcu_read_lock();
	p = t->real_parent;
	p = bpf_task_acquire(p);
	bpf_rcu_read_unlock();
	if (p)
		bpf_task_release(p);
	return 0;
}

SEC("syscall")
int acquires_outside_rcu(void *ctx)
{
	struct task_struct *t = bpf_get_current_task_btf(), *p;

	p = bpf_task_acquire(t->real_parent);
	if (p)
		bpf_task_release(p);
	return 0;
}

SEC("syscall")
int parent_after_unlock(void *ctx)
{
	struct task_struct *t = bpf_get_current_task_btf(), *p;

	bpf_rcu_read_lock();
	p = t->real_parent;
	bpf_rcu_read_unlock();
	p = bpf_task_acquire(p);
	if (p)
		bpf_task_release(p);
	return 0;
}

SEC("syscall")
int all_tasks(void *ctx)
{
	struct bpf_iter_task it;
	struct task_struct *t;
	int n = 0;

	bpf_rcu_read_lock();
	bpf_iter_task_new(&it, 0, 0);
	while ((t = bpf_iter_task_next(&it)))
		n += t->pid & 1;
	bpf_iter_task_destroy(&it);
	bpf_rcu_read_unlock();
	seen = n;
	return 0;
}

SEC("syscall")
int all_tasks_without_rcu(void *ctx)
{
	struct bpf_iter_task it;
	struct task_struct *t;

	bpf_iter_task_new(&it, 0, 0);
	while ((t = bpf_iter_task_next(&it)))
		seen++;
	bpf_iter_task_destroy(&it);
	return 0;
}

SEC("tc")
int wrong_program_type(struct __sk_buff *skb)
{
	struct bpf_iter_task it;

	bpf_iter_task_new(&it, 0, 0);
	bpf_iter_task_destroy(&it);
	return 0;
}
