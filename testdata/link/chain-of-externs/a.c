#include "../common.h"

extern int middle(int x);
SEC("xdp") int one(void *ctx)
{
  return middle(1);
}
LICENSE;
