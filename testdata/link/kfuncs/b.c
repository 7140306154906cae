#include "../common.h"

extern void bpf_rcu_read_lock(void) __ksym;
extern void bpf_rcu_read_unlock(void) __ksym;
SEC("tp_btf/sys_enter") int two(void *ctx)
{
  bpf_rcu_read_lock();
  bpf_rcu_read_unlock();
  return 0;
}
LICENSE;
