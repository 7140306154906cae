#include "../common.h"

extern int shared;
SEC("socket") int prog(void *ctx)
{
  return shared;
}
LICENSE;
