#include "../common.h"

extern struct pair shared;
struct pair {
  int a, b;
};
SEC("socket") int prog(void *ctx)
{
  return shared.b;
}
LICENSE;
