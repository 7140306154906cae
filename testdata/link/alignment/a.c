#include "../common.h"

char a1 = 1;
__u64 a2 __attribute__((aligned(64))) = 2;
char z1;
SEC("socket") int one(void *ctx)
{
  return a1 + a2 + z1;
}
LICENSE;
