/* SPDX-License-Identifier: BSD-2-Clause */
/* Everything that a loader program has to ask the kernel for: types, functions, addresses, attach targets, CO-RE. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct task_struct {
	int pid;
	int tgid;
} __attribute__((preserve_access_index));

extern const int no_such_variable __ksym __weak;
extern const void no_such_address __ksym __weak;
extern const struct rq_that_is_not_there runqueues_of_nobody __ksym __weak;
extern void bpf_rcu_read_lock(void) __ksym;
extern void bpf_rcu_read_unlock(void) __ksym;
extern void no_such_kfunc(int a) __ksym __weak;
extern int LINUX_KERNEL_VERSION __kconfig;
extern unsigned long CONFIG_HZ __kconfig;

const volatile int limit = 7;
long hits = 3;
__u64 total;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 100);
	__type(key, int);
	__type(value, long);
} counts SEC(".maps");

struct inner {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 3);
	__type(key, int);
	__type(value, int);
} first SEC(".maps"), second SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 4);
	__type(key, int);
	__array(values, struct inner);
} outer SEC(".maps") = { .values = { [0] = &first, [2] = &second } };

static __noinline int twice(int x)
{
	return x + (&no_such_variable ? no_such_variable : limit);
}

SEC("tc")
int references(struct __sk_buff *skb)
{
	int key = 1, sum = 0;

	bpf_rcu_read_lock();
	sum += skb->len;
	bpf_rcu_read_unlock();
	bpf_rcu_read_lock();
	sum += skb->mark;
	bpf_rcu_read_unlock();
	if (no_such_kfunc)
		no_such_kfunc(1);
	if (&no_such_address)
		return 1;
	if (&runqueues_of_nobody)
		return 2;
	if (bpf_map_lookup_elem(&counts, &key))
		hits++;
	if (bpf_map_lookup_elem(&outer, &key))
		hits += 2;
	total += sum;
	return twice(sum) + CONFIG_HZ + LINUX_KERNEL_VERSION;
}

SEC("raw_tp/sys_enter")
int raw(void *ctx)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	int pid = 0;

	bpf_probe_read_kernel(&pid, sizeof(pid), &task->tgid);
	return pid == limit;
}

SEC("?xdp")
int not_loaded(struct xdp_md *ctx)
{
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
