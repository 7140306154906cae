#include "../common.h"

struct task_struct {
  int pid;
  struct task_struct *parent;
} __core;
SEC("raw_tp/sys_enter") int one(void *ctx)
{
  struct task_struct *t = *(struct task_struct **)ctx;
  int pid = 0;

  bpf_probe_read_kernel(&pid, 4, &t->pid);
  return pid;
}
LICENSE;
