#include "../common.h"

struct b;
struct a {
  struct b *b;
  struct a *a;
  int (*fn)(struct a *, struct b *);
};
struct b {
  struct a in;
  struct b *list[3];
};
struct b start;
SEC("socket") int one(void *ctx)
{
  return start.in.b != 0;
}
LICENSE;
