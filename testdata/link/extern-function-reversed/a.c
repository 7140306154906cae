#include "../common.h"

__noinline int helper(int number)
{
  return number * 7;
}
LICENSE;
