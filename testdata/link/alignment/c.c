#include "../common.h"

int c1 = 1;
__u64 z3 __attribute__((aligned(32)));
SEC("socket") int three(void *ctx)
{
  return c1 + z3;
}
LICENSE;
