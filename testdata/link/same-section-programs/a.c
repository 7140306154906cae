#include "../common.h"

__noinline int sub(int x)
{
  return x + 1;
}
SEC("xdp") int one(void *ctx)
{
  return sub(1);
}
SEC("xdp") int two(void *ctx)
{
  return sub(2);
}
LICENSE;
