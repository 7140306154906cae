#include "../common.h"

struct ctx {
  int value;
};
__noinline int helper(struct ctx *context, int weight)
{
  return context ? context->value * weight : 0;
}
