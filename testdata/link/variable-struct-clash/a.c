#include "../common.h"

struct box {
  int a;
  int b;
};
extern struct box shared;
SEC("socket") int prog(void *ctx)
{
  return shared.a;
}
LICENSE;
