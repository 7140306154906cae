#include "../common.h"

__weak int level = 1;
int first = 7;
SEC("socket") int prog(void *ctx)
{
  return level + first;
}
LICENSE;
