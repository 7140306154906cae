#include "../common.h"

extern __u32 CONFIG_HZ __kconfig;
SEC("socket") int two(void *ctx)
{
  return CONFIG_HZ;
}
LICENSE;
