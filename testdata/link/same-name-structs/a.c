#include "../common.h"

struct item {
  int a;
  struct item *next;
};
struct item first;
SEC("socket") int one(void *ctx)
{
  return first.a;
}
LICENSE;
