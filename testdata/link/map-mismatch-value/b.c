#include "../common.h"

struct value {
  __u64 packets;
  __u32 flagz;
};
extern struct {
  __uint(type, 1);
  __type(key, __u32);
  __type(value, struct value);
  __uint(max_entries, 16);
} counts SEC(".maps");
SEC("socket") int prog(void *ctx)
{
  __u32 key = 0;

  return bpf_map_lookup_elem(&counts, &key) != 0;
}
LICENSE;
