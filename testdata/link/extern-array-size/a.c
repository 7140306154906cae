#include "../common.h"

extern int table[];
SEC("socket") int prog(void *ctx)
{
  return table[2];
}
LICENSE;
