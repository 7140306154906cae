#include "../common.h"

int data1 SEC(".shared") = 3;
SEC("socket") int one(void *ctx)
{
  return data1;
}
LICENSE;
