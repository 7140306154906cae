#include "../common.h"

int value = 2;
SEC("socket") int two(void *ctx)
{
  return value;
}
LICENSE;
