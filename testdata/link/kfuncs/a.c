#include "../common.h"

extern void bpf_rcu_read_lock(void) __ksym;
extern void bpf_rcu_read_unlock(void) __ksym __weak;
SEC("tp_btf/sys_enter") int one(void *ctx)
{
  bpf_rcu_read_lock();
  bpf_rcu_read_unlock();
  return 0;
}
LICENSE;
