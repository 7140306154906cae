/* SPDX-License-Identifier: BSD-2-Clause */
/* Spin locks: one at a time, the right one; and resilient ones, which may fail. */
#include "kfuncs.h"

struct bpf_res_spin_lock {
	__u32 val;
} __attribute__((aligned(4)));
extern int bpf_res_spin_lock(struct bpf_res_spin_lock *lock) __ksym;
extern void bpf_res_spin_unlock(struct bpf_res_spin_lock *lock) __ksym;
extern int bpf_res_spin_lock_irqsave(struct bpf_res_spin_lock *lock, unsigned long *flags) __ksym;
extern void bpf_res_spin_unlock_irqrestore(struct bpf_res_spin_lock *lock, unsigned long *flags) __ksym;

struct value {
	struct bpf_spin_lock lock;
	long n;
};

struct resilient {
	struct bpf_res_spin_lock lock;
	long n;
};

#define ARRAY(name, t) struct { \
	__uint(type, BPF_MAP_TYPE_ARRAY); \
	__uint(max_entries, 2); \
	__type(key, __u32); \
	__type(value, struct t); \
} name SEC(".maps")

ARRAY(plain, value);
ARRAY(tough, resilient);

static const __u32 ZERO, ONE = 1;

#define FIND(var, map, key) do { \
	__u32 k = key; \
	var = bpf_map_lookup_elem(&map, &k); \
	if (!var) \
		return 0; \
} while (0)

SEC("tc")
int lock_unlock(struct __sk_buff *skb)
{
	struct value *v;

	FIND(v, plain, 0);
	bpf_spin_lock(&v->lock);
	v->n++;
	bpf_spin_unlock(&v->lock);
	return 0;
}

SEC("tc")
int two_locks(struct __sk_buff *skb)
{
	struct value *v, *w;

	FIND(v, plain, 0);
	FIND(w, plain, 1);
	bpf_spin_lock(&v->lock);
	bpf_spin_lock(&w->lock);
	bpf_spin_unlock(&w->lock);
	bpf_spin_unlock(&v->lock);
	return 0;
}

SEC("tc")
int other_unlocked(struct __sk_buff *skb)
{
	struct value *v, *w;

	FIND(v, plain, 0);
	FIND(w, plain, 1);
	bpf_spin_lock(&v->lock);
	bpf_spin_unlock(&w->lock);
	return 0;
}

SEC("tc")
int unlock_alone(struct __sk_buff *skb)
{
	struct value *v;

	FIND(v, plain, 0);
	bpf_spin_unlock(&v->lock);
	return 0;
}

SEC("tc")
int wrong_offset(struct __sk_buff *skb)
{
	struct value *v;

	FIND(v, plain, 0);
	bpf_spin_lock((void *)&v->n);
	return 0;
}

SEC("socket")
int in_socket_filter(struct __sk_buff *skb)
{
	struct value *v;

	FIND(v, plain, 0);
	bpf_spin_lock(&v->lock);
	bpf_spin_unlock(&v->lock);
	return 0;
}

SEC("kprobe/do_nanosleep")
int in_kprobe(void *ctx)
{
	struct value *v;

	FIND(v, plain, 0);
	bpf_spin_lock(&v->lock);
	bpf_spin_unlock(&v->lock);
	return 0;
}

SEC("tc")
int res_lock(struct __sk_buff *skb)
{
	struct resilient *v;

	FIND(v, tough, 0);
	if (bpf_res_spin_lock(&v->lock))
		return 0;
	v->n++;
	bpf_res_spin_unlock(&v->lock);
	return 0;
}

SEC("tc")
int res_lock_not_checked(struct __sk_buff *skb)
{
	struct resilient *v;

	FIND(v, tough, 0);
	bpf_res_spin_lock(&v->lock);
	bpf_res_spin_unlock(&v->lock);
	return 0;
}

SEC("tc")
int res_locks_nested(struct __sk_buff *skb)
{
	struct resilient *v, *w;

	FIND(v, tough, 0);
	FIND(w, tough, 1);
	if (bpf_res_spin_lock(&v->lock))
		return 0;
	if (!bpf_res_spin_lock(&w->lock))
		bpf_res_spin_unlock(&w->lock);
	bpf_res_spin_unlock(&v->lock);
	return 0;
}

SEC("tc")
int res_locks_out_of_order(struct __sk_buff *skb)
{
	struct resilient *v, *w;

	FIND(v, tough, 0);
	FIND(w, tough, 1);
	if (bpf_res_spin_lock(&v->lock))
		return 0;
	if (bpf_res_spin_lock(&w->lock)) {
		bpf_res_spin_unlock(&v->lock);
		return 0;
	}
	bpf_res_spin_unlock(&v->lock);
	bpf_res_spin_unlock(&w->lock);
	return 0;
}

SEC("tc")
int res_lock_irq(struct __sk_buff *skb)
{
	struct resilient *v;
	unsigned long flags;

	FIND(v, tough, 0);
	if (bpf_res_spin_lock_irqsave(&v->lock, &flags))
		return 0;
	bpf_res_spin_unlock_irqrestore(&v->lock, &flags);
	return 0;
}

SEC("tc")
int res_lock_irq_unlocked_plainly(struct __sk_buff *skb)
{
	struct resilient *v;
	unsigned long flags;

	FIND(v, tough, 0);
	if (bpf_res_spin_lock_irqsave(&v->lock, &flags))
		return 0;
	bpf_res_spin_unlock(&v->lock);
	return 0;
}
