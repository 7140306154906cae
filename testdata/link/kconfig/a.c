#include "../common.h"

extern int LINUX_KERNEL_VERSION __kconfig;
extern __u32 CONFIG_HZ __kconfig __weak;
SEC("socket") int one(void *ctx)
{
  return LINUX_KERNEL_VERSION + CONFIG_HZ;
}
LICENSE;
