#include "../common.h"

extern int last(int x);
extern int total;
__noinline int middle(int x)
{
  total++;
  return last(x) + 1;
}
