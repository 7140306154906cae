#include "../common.h"

__noinline int last(int x)
{
  return x * 3;
}
int total;
