#include "../common.h"

static __noinline int helper(int x)
{
  return x + 1;
}
SEC("socket") int one(void *ctx)
{
  return helper(3) + helper(9);
}
LICENSE;
