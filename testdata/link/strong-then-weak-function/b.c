#include "../common.h"

__weak __noinline int helper(int y)
{
  return y * 2;
}
SEC("socket") int other(void *ctx)
{
  return helper(5);
}
