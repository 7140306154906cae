#include "../common.h"

#define say(t) do { static const char text[] = t; seen += text[seen & 1]; } while (0)
int seen;
SEC("socket") int one(void *ctx)
{
  const volatile char s[] = "abcdefgh01234567";
  const char *p = (const char *)s;

  seen += p[seen & 3];
  return seen;
}
LICENSE;
