/* SPDX-License-Identifier: BSD-2-Clause */
/* Sections that must be left again: RCU, preemption, interrupts. */
#include "kfuncs.h"

SEC("tc")
int rcu_section(struct __sk_buff *skb)
{
	bpf_rcu_read_lock();
	bpf_rcu_read_unlock();
	return 0;
}

SEC("tc")
int rcu_left_open(struct __sk_buff *skb)
{
	bpf_rcu_read_lock();
	return 0;
}

SEC("tc")
int rcu_unlock_alone(struct __sk_buff *skb)
{
	bpf_rcu_read_unlock();
	return 0;
}

SEC("tc")
int rcu_on_one_branch(struct __sk_buff *skb)
{
	if (skb->mark)
		bpf_rcu_read_lock();
	bpf_rcu_read_unlock();
	return 0;
}

SEC("tc")
int preempt_nested(struct __sk_buff *skb)
{
	bpf_preempt_disable();
	bpf_preempt_disable();
	bpf_preempt_enable();
	bpf_preempt_enable();
	return 0;
}

SEC("tc")
int preempt_left_open(struct __sk_buff *skb)
{
	bpf_preempt_disable();
	bpf_preempt_disable();
	bpf_preempt_enable();
	return 0;
}

SEC("tc")
int preempt_enable_alone(struct __sk_buff *skb)
{
	bpf_preempt_enable();
	return 0;
}

SEC("tc")
int irq_section(struct __sk_buff *skb)
{
	unsigned long flags;

	bpf_local_irq_save(&flags);
	bpf_local_irq_restore(&flags);
	return 0;
}

SEC("tc")
int irq_out_of_order(struct __sk_buff *skb)
{
	unsigned long a, b;

	bpf_local_irq_save(&a);
	bpf_local_irq_save(&b);
	bpf_local_irq_restore(&a);
	bpf_local_irq_restore(&b);
	return 0;
}

SEC("tc")
int irq_flags_overwritten(struct __sk_buff *skb)
{
	unsigned long flags;

	bpf_local_irq_save(&flags);
	*(volatile unsigned long *)&flags = 0;
	bpf_local_irq_restore(&flags);
	return 0;
}

SEC("tc")
int irq_left_open(struct __sk_buff *skb)
{
	unsigned long flags;

	bpf_local_irq_save(&flags);
	return 0;
}

static __attribute__((noinline)) void save_for_caller(unsigned long *flags)
{
	bpf_local_irq_save(flags);
}

SEC("tc")
int irq_saved_by_callee(struct __sk_buff *skb)
{
	unsigned long flags;

	save_for_caller(&flags);
	bpf_local_irq_restore(&flags);
	return 0;
}

SEC("syscall")
int sleeps_without_preemption(void *ctx)
{
	char b[8];

	bpf_preempt_disable();
	bpf_copy_from_user(b, sizeof(b), (void *)1);
	bpf_preempt_enable();
	return 0;
}

SEC("syscall")
int sleeps_in_rcu(void *ctx)
{
	char b[8];

	bpf_rcu_read_lock();
	bpf_copy_from_user(b, sizeof(b), (void *)1);
	bpf_rcu_read_unlock();
	return 0;
}
