#include "../common.h"

__u32 _version SEC("version") = 7;
SEC("socket") int two(void *ctx)
{
  return 2;
}
LICENSE;
