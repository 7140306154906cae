#include "../common.h"

typedef union u u_t;
union u {
  int a;
  struct {
    unsigned b : 3, c : 5;
    signed d : 20;
  };
};
u_t two_u;
float *f;
double (*g)(float);
SEC("socket") int two(void *ctx)
{
  return two_u.d + (f != 0) + (g != 0);
}
LICENSE;
