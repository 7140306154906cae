#include "../common.h"

char b1 = 1;
char z2;
SEC("socket") int two(void *ctx)
{
  return b1 + z2;
}
LICENSE;
