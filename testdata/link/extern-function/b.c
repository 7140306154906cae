#include "../common.h"

__noinline int helper(int x)
{
  return x * 7;
}
LICENSE;
