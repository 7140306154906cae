#include "../common.h"

__u32 _version SEC("version") = 7;
SEC("socket") int one(void *ctx)
{
  return 1;
}
LICENSE;
