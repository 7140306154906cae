// Subprograms: static, global, hidden, by address, shared between programs; kernel functions that are missing.
#include "bpf.h"
LICENSE;

struct {
  __uint(type, MAP_ARRAY);
  __uint(max_entries, 4);
  __type(key, __u32);
  __type(value, __u64);
} table SEC(".maps");

extern int bpf_not_in_any_kernel(int x) __ksym __weak;
extern const void not_a_symbol __ksym __weak;

volatile __u64 seen;

static __noinline int leaf(int x) {
  seen += x;
  return x * 3;
}
__noinline int middle(int x) { return leaf(x + 1) + leaf(x + 2); }
__noinline __hidden int concealed(int x) { return middle(x) - 1; }
__noinline __weak int unused(int x) { return x; }

static long each(void *map, __u32 *key, __u64 *value, void *ctx) {
  seen += *value;
  return leaf(*key) < 0;
}

SEC("tc") int first(struct __sk_buff *skb) { return middle(skb->len); }

SEC("tc") int second(struct __sk_buff *skb) {
  bpf_for_each_map_elem(&table, each, 0, 0);
  return concealed(skb->mark) + leaf(1);
}

SEC("xdp.frags") int third(struct xdp_md *ctx) {
  if (&not_a_symbol) return 1;
  if (bpf_not_in_any_kernel) return bpf_not_in_any_kernel(2);
  return 2;
}

SEC("?fentry.s/anything") int dormant(void *ctx) { return 0; }
