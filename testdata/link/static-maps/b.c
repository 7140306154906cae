#include "../common.h"

static struct {
  __uint(type, 2);
  __uint(max_entries, 8);
  __type(key, __u32);
  __type(value, __u32);
} cache SEC(".maps");
SEC("socket") int two(void *ctx)
{
  __u32 key = 0;

  return bpf_map_lookup_elem(&cache, &key) != 0;
}
LICENSE;
