#include "../common.h"

struct task_struct {
  struct task_struct *parent;
  int tgid;
} __core;
SEC("raw_tp/sys_enter") int two(void *ctx)
{
  struct task_struct *t = *(struct task_struct **)ctx;
  int tgid = 0;

  bpf_probe_read_kernel(&tgid, 4, &t->tgid);
  return tgid;
}
SEC("raw_tp/sys_exit") int three(void *ctx)
{
  struct task_struct *t = *(struct task_struct **)ctx;
  int tgid = __builtin_preserve_field_info(t->tgid, 2);

  return tgid;
}
LICENSE;
