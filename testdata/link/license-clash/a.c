#include "../common.h"

SEC("socket") int one(void *ctx)
{
  return 1;
}
LICENSE;
