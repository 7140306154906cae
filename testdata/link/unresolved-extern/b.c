#include "../common.h"

SEC("socket") int two(void *ctx)
{
  return 1;
}
LICENSE;
