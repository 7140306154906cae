#include "../common.h"

#define __tag(x) __attribute__((btf_decl_tag(x)))
#define __ttag(x) __attribute__((btf_type_tag(x)))
struct tagged {
  int a __tag("counted");
  int __ttag("user") *p;
} __tag("outer");
extern int work(struct tagged *t __tag("arg")) __tag("fn");
struct tagged two_v;
SEC("socket") int two(void *ctx)
{
  return work(&two_v);
}
LICENSE;
