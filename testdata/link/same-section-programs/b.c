#include "../common.h"

static __noinline int sub2(int x)
{
  return x + 2;
}
extern int sub(int x);
SEC("xdp") int three(void *ctx)
{
  return sub(sub2(1));
}
SEC("tc") int four(void *ctx)
{
  return sub2(2);
}
LICENSE;
