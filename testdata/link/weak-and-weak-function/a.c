#include "../common.h"

__weak __noinline int helper(int x)
{
  return x + 1;
}
SEC("socket") int prog(void *ctx)
{
  return helper(3);
}
LICENSE;
