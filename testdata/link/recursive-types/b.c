#include "../common.h"

struct b;
struct a {
  struct b *b;
  struct a *a;
  int (*fn)(struct a *, struct b *);
};
struct a only;
SEC("socket") int two(void *ctx)
{
  return only.a != 0;
}
LICENSE;
