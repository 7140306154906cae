#include "../common.h"

struct {
  __uint(type, 1);
  __uint(max_entries, 4);
  __type(key, __u64);
  __type(value, __u32);
} second SEC(".maps");
SEC("socket") int two(void *ctx)
{
  __u64 key = 0;

  return bpf_map_lookup_elem(&second, &key) != 0;
}
LICENSE;
