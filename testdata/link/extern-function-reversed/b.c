#include "../common.h"

extern int helper(int x);
SEC("socket") int prog(void *ctx)
{
  return helper(3);
}
LICENSE;
