#include "../common.h"

long long wide = 3;
int level = 2;
SEC("socket") int two(void *ctx)
{
  return level + (int)wide;
}
