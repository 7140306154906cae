#include "../common.h"

const volatile int data2 SEC(".shared") = 3;
SEC("socket") int two(void *ctx)
{
  return data2;
}
LICENSE;
