/* SPDX-License-Identifier: BSD-2-Clause */
/* Reference-counted kernel objects: local variables, map values, exchange. */
#include "kfuncs.h"

struct holder {
	struct bpf_cpumask __attribute__((btf_type_tag("kptr"))) *mask;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, struct holder);
} held SEC(".maps");

struct untrusted {
	struct task_struct __attribute__((btf_type_tag("kptr_untrusted"))) *task;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, struct untrusted);
} unheld SEC(".maps");

SEC("syscall")
int create_and_release(void *ctx)
{
	struct bpf_cpumask *m = bpf_cpumask_create();

	if (!m)
		return 0;
	bpf_cpumask_set_cpu(3, m);
	bpf_cpumask_test_cpu(3, &m->cpumask);
	bpf_cpumask_release(m);
	return 0;
}

SEC("syscall")
int create_and_lose(void *ctx)
{
	struct bpf_cpumask *m = bpf_cpumask_create();

	if (m)
		bpf_cpumask_set_cpu(3, m);
	return 0;
}

SEC("syscall")
int put_into_map(void *ctx)
{
	struct bpf_cpumask *m, *old;
	struct holder *h;
	__u32 k = 0;

	h = bpf_map_lookup_elem(&held, &k);
	if (!h)
		return 0;
	m = bpf_cpumask_create();
	if (!m)
		return 0;
	old = bpf_kptr_xchg(&h->mask, m);
	if (old)
		bpf_cpumask_release(old);
	return 0;
}

SEC("syscall")
int old_one_lost(void *ctx)
{
	struct bpf_cpumask *m;
	struct holder *h;
	__u32 k = 0;

	h = bpf_map_lookup_elem(&held, &k);
	if (!h)
		return 0;
	m = bpf_cpumask_create();
	if (!m)
		return 0;
	bpf_kptr_xchg(&h->mask, m);
	return 0;
}

SEC("syscall")
int take_out(void *ctx)
{
	struct bpf_cpumask *m;
	struct holder *h;
	__u32 k = 0;

	h = bpf_map_lookup_elem(&held, &k);
	if (!h)
		return 0;
	m = bpf_kptr_xchg(&h->mask, 0);
	if (m)
		bpf_cpumask_release(m);
	return 0;
}

SEC("syscall")
int read_under_rcu(void *ctx)
{
	struct bpf_cpumask *m;
	struct holder *h;
	__u32 k = 0, n = 0;

	h = bpf_map_lookup_elem(&held, &k);
	if (!h)
		return 0;
	bpf_rcu_read_lock();
	m = h->mask;
	if (m)
		n = bpf_cpumask_first(&m->cpumask);
	bpf_rcu_read_unlock();
	return n & 1;
}

SEC("syscall")
int stored_directly(void *ctx)
{
	struct bpf_cpumask *m;
	struct holder *h;
	__u32 k = 0;

	h = bpf_map_lookup_elem(&held, &k);
	if (!h)
		return 0;
	m = bpf_cpumask_create();
	if (!m)
		return 0;
	*(struct bpf_cpumask *volatile *)&h->mask = m;
	return 0;
}

SEC("syscall")
int partly_read(void *ctx)
{
	struct holder *h;
	__u32 k = 0;

	h = bpf_map_lookup_elem(&held, &k);
	return h ? *(volatile __u32 *)&h->mask & 1 : 0;
}

SEC("syscall")
int acquire_twice(void *ctx)
{
	struct bpf_cpumask *m = bpf_cpumask_create(), *n;

	if (!m)
		return 0;
	n = bpf_cpumask_acquire(m);
	bpf_cpumask_release(m);
	bpf_cpumask_release(n);
	return 0;
}

SEC("syscall")
int untrusted_stored(void *ctx)
{
	struct untrusted *u;
	__u32 k = 0;

	u = bpf_map_lookup_elem(&unheld, &k);
	if (!u)
		return 0;
	u->task = bpf_get_current_task_btf();
	return 0;
}

SEC("syscall")
int untrusted_read(void *ctx)
{
	struct untrusted *u;
	struct task_struct *t;
	__u32 k = 0;

	u = bpf_map_lookup_elem(&unheld, &k);
	if (!u)
		return 0;
	t = u->task;
	return t ? t->pid & 1 : 0;
}

SEC("syscall")
int wrong_type_stored(void *ctx)
{
	struct untrusted *u;
	__u32 k = 0;

	u = bpf_map_lookup_elem(&unheld, &k);
	if (!u)
		return 0;
	*(void *volatile *)&u->task = u;
	return 0;
}

SEC("syscall")
int variable_cpu_mask(void *ctx)
{
	struct bpf_cpumask *m = bpf_cpumask_create();
	__u32 cpu = bpf_get_smp_processor_id();

	if (!m)
		return 0;
	bpf_cpumask_set_cpu(cpu, m);
	bpf_cpumask_release((struct bpf_cpumask *)&m->cpumask);
	return 0;
}
