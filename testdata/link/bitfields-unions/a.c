#include "../common.h"

union u {
  int a;
  struct {
    unsigned b : 3, c : 5;
    signed d : 20;
  };
};
union u one_u;
SEC("socket") int one(void *ctx)
{
  return one_u.c;
}
LICENSE;
