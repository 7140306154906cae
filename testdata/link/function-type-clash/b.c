#include "../common.h"

__noinline int helper(int x, int y)
{
  return x * y;
}
LICENSE;
