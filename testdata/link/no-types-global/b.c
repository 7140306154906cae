#include "../common.h"

//nobtf
extern int helper(int);
SEC("socket") int two(void *ctx)
{
  return helper(2);
}
LICENSE;
