#include "../common.h"

//nobtf
SEC("socket") int one(void *ctx)
{
  return 1;
}
LICENSE;
