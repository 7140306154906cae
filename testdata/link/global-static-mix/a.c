#include "../common.h"

static int value = 1;
SEC("socket") int one(void *ctx)
{
  value++;
  return value;
}
LICENSE;
