#include "../common.h"

#define __tag(x) __attribute__((btf_decl_tag(x)))
#define __ttag(x) __attribute__((btf_type_tag(x)))
struct tagged {
  int a __tag("counted");
  int __ttag("user") *p;
} __tag("outer");
struct tagged one_v __tag("global");
__noinline int work(struct tagged *t __tag("arg")) __tag("fn")
{
  return t ? t->a : 0;
}
SEC("socket") int one(void *ctx)
{
  return work(&one_v);
}
LICENSE;
