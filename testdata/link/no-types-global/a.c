#include "../common.h"

//nobtf
static __noinline int f(int x)
{
  return x + 1;
}
SEC("socket") int one(void *ctx)
{
  return f(1);
}
