#include "../common.h"

struct item {
  long b;
  struct item *next;
};
struct item second;
SEC("socket") int two(void *ctx)
{
  return second.b;
}
LICENSE;
