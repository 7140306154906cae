#include "../common.h"

static int state = 3;
static volatile const int limit = 9;
SEC("socket") int one(void *ctx)
{
  state += limit;
  return state;
}
LICENSE;
