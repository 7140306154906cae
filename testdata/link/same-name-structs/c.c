#include "../common.h"

struct item {
  int a;
  struct item *next;
};
struct item third;
SEC("socket") int three(void *ctx)
{
  return third.a;
}
LICENSE;
