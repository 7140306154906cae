#include "../common.h"

extern const void jiffies __ksym __weak;
extern const int bpf_prog_active __ksym;
SEC("socket") int two(void *ctx)
{
  return (long)&bpf_prog_active + (long)&jiffies;
}
LICENSE;
