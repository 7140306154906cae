#include "../common.h"

struct {
  __uint(type, 12);
  __uint(max_entries, 4);
  __type(key, __u32);
  __array(values, struct {
    __uint(type, 2);
    __uint(max_entries, 8);
    __type(key, __u32);
    __type(value, __u32);
  });
} outer SEC(".maps");
LICENSE;
