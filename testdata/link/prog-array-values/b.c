#include "../common.h"

SEC("socket") int other(void *ctx)
{
  return 2;
}
LICENSE;
