#include "../common.h"

extern const int bpf_prog_active __ksym;
extern const void jiffies __ksym __weak;
SEC("socket") int one(void *ctx)
{
  return (long)&bpf_prog_active + (long)&jiffies;
}
LICENSE;
