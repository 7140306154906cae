// A table of functions for the kernel, against kernel.c.
#include "bpf.h"
LICENSE;

struct thing;
struct thing_ops___mine {
  int (*act)(struct thing *t);
  int (*idle)(void);
  __u32 flags;
  char name[8];
  int (*not_in_kernel)(void);
};

SEC("struct_ops/act") int act(unsigned long long *ctx) { return 1; }
SEC("struct_ops.s") int idle(unsigned long long *ctx) { return 2; }

SEC(".struct_ops.link") struct thing_ops___mine mine = {
  .act = (void *)act,
  .idle = (void *)idle,
  .flags = 9,
  .name = "mine",
};
SEC("?.struct_ops") struct thing_ops___mine later = {.act = (void *)act};
