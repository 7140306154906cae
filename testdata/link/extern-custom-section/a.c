#include "../common.h"

extern int tuned SEC(".data.tuning");
SEC("socket") int prog(void *ctx)
{
  return tuned;
}
LICENSE;
