#include "../common.h"

static const volatile char names[3][4] = {"ab", "cd", "ef"};
extern int seen;
SEC("socket") int two(void *ctx)
{
  return names[seen & 1][0];
}
LICENSE;
