#include "../common.h"

extern __u64 CONFIG_HZ __kconfig;
SEC("socket") int two(void *ctx)
{
  return CONFIG_HZ;
}
LICENSE;
