#include "../common.h"

static int state = 4;
static volatile const int limit = 8;
static int spare;
SEC("socket") int two(void *ctx)
{
  state += limit;
  spare++;
  return state + spare;
}
LICENSE;
