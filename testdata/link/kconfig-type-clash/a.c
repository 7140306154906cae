#include "../common.h"

extern __u32 CONFIG_HZ __kconfig;
SEC("socket") int one(void *ctx)
{
  return CONFIG_HZ;
}
LICENSE;
