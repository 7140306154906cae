#include "../common.h"

enum colour { RED, GREEN = 5 };
enum big { HUGE = 0x123456789aULL };
enum colour c1;
enum big b1;
SEC("socket") int one(void *ctx)
{
  return c1 + b1;
}
LICENSE;
