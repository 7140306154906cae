#include "../common.h"

extern int helper(int x);
__hidden int shared = 3;
SEC("socket") int two(void *ctx)
{
  return helper(1);
}
LICENSE;
