// Every attribute that a map declaration may have.
#include "bpf.h"
LICENSE;

struct key {
  __u32 a;
  __u16 b;
};
struct value {
  __u64 count;
  char name[6];
};

struct {
  __uint(type, MAP_HASH);
  __uint(max_entries, 100);
  __uint(map_flags, 1);
  __uint(numa_node, 0);
  __type(key, struct key);
  __type(value, struct value);
} typed SEC(".maps");

struct {
  __uint(type, MAP_ARRAY);
  __uint(key_size, 4);
  __uint(value_size, 24);
  __uint(max_entries, 7);
} sized SEC(".maps");

struct {
  __uint(type, MAP_RINGBUF);
  __uint(max_entries, 5000);
} rounded_ring SEC(".maps");

struct {
  __uint(type, MAP_PERF_EVENT_ARRAY);
  __uint(key_size, 4);
  __uint(value_size, 4);
} per_cpu_events SEC(".maps");

struct {
  __uint(type, MAP_BLOOM_FILTER);
  __uint(max_entries, 16);
  __ulong(map_extra, 3);
  __type(value, __u32);
} bloom_with_a_long_name SEC(".maps");

struct inner {
  __uint(type, MAP_ARRAY);
  __uint(max_entries, 3);
  __type(key, int);
  __type(value, __u64);
} inner_one SEC(".maps"), inner_two SEC(".maps");

struct {
  __uint(type, MAP_ARRAY_OF_MAPS);
  __uint(max_entries, 4);
  __uint(key_size, 4);
  __array(values, struct inner);
} outer SEC(".maps") = {.values = {[1] = &inner_one, [3] = &inner_two}};

struct {
  __uint(type, MAP_HASH_OF_MAPS);
  __uint(max_entries, 2);
  __uint(key_size, 4);
  __array(values, struct {
    __uint(type, MAP_HASH);
    __uint(max_entries, 9);
    __type(key, __u32);
    __type(value, __u32);
  });
} outer_hash SEC(".maps");

int step(struct __sk_buff *skb);

struct {
  __uint(type, MAP_PROG_ARRAY);
  __uint(max_entries, 3);
  __uint(key_size, 4);
  __array(values, int(struct __sk_buff *));
} jumps SEC(".maps") = {.values = {[2] = &step}};

SEC("socket") int step(struct __sk_buff *skb) { return skb->len; }

SEC("socket") int use(struct __sk_buff *skb) {
  struct key key = {.a = skb->len};
  struct value *value = bpf_map_lookup_elem(&typed, &key);
  __u32 zero = 0;
  __u64 *word = bpf_map_lookup_elem(&sized, &zero);
  if (value && word) value->count += *word;
  bpf_tail_call(skb, &jumps, 2);
  return 0;
}
