#include "../common.h"

__hidden __noinline int helper(int x)
{
  return x + 4;
}
extern int shared;
SEC("socket") int one(void *ctx)
{
  return helper(shared);
}
LICENSE;
