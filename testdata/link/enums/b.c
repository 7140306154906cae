#include "../common.h"

enum colour { RED, GREEN = 5 };
enum big;
enum colour c2;
enum big *b2;
SEC("socket") int two(void *ctx)
{
  return c2 + (b2 != 0);
}
LICENSE;
