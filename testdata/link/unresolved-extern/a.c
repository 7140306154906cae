#include "../common.h"

extern int helper(int x);
extern int shared;
SEC("socket") int one(void *ctx)
{
  return helper(shared);
}
LICENSE;
