#include "../common.h"

int target(void *ctx);
struct {
  __uint(type, 3);
  __uint(max_entries, 2);
  __uint(key_size, 4);
  __array(values, int(void *));
} jump SEC(".maps") = {.values = {[1] = (void *)&target}};
SEC("socket") int prog(void *ctx)
{
  bpf_tail_call(ctx, &jump, 1);
  return 0;
}
SEC("socket") int target(void *ctx)
{
  return 1;
}
LICENSE;
