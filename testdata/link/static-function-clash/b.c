#include "../common.h"

static __noinline int helper(int x)
{
  return x * 2;
}
SEC("socket") int two(void *ctx)
{
  return helper(4) + helper(8);
}
LICENSE;
