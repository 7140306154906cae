#include "../common.h"

struct value {
  __u64 packets;
  __u32 flags;
};
struct {
  __uint(type, 1);
  __type(key, __u32);
  __type(value, struct value);
  __uint(max_entries, 16);
} counts SEC(".maps");
LICENSE;
