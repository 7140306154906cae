#include "../common.h"

static __noinline int sub2(int x)
{
  return x + 3;
}
SEC("xdp") int five(void *ctx)
{
  return sub2(3);
}
SEC("tc") int six(void *ctx)
{
  return sub2(2);
}
LICENSE;
