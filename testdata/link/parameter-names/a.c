#include "../common.h"

struct ctx;
extern int helper(struct ctx *, int);
SEC("socket") int prog(void *ctx)
{
  return helper(ctx, 2);
}
LICENSE;
