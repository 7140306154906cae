/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf.h"

extern int LINUX_KERNEL_VERSION __kconfig;
extern unsigned long CONFIG_HZ __kconfig;
extern _Bool CONFIG_NO_SUCH_THING __kconfig __weak;
extern void bpf_rcu_read_lock(void) __ksym;
extern void bpf_rcu_read_unlock(void) __ksym;
extern void no_such_kfunc(void) __ksym __weak;

SEC("tc")
int externs(struct __sk_buff *skb)
{
	if (LINUX_KERNEL_VERSION < 0x060000)
		return 1;
	if (no_such_kfunc)
		no_such_kfunc();
	bpf_rcu_read_lock();
	skb->mark = CONFIG_HZ;
	bpf_rcu_read_unlock();
	return CONFIG_NO_SUCH_THING;
}
