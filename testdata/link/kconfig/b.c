#include "../common.h"

extern int LINUX_KERNEL_VERSION __kconfig;
extern int CONFIG_NR_CPUS __kconfig __weak;
SEC("socket") int two(void *ctx)
{
  return LINUX_KERNEL_VERSION + CONFIG_NR_CPUS;
}
LICENSE;
