// What the test programs need of the BPF headers, so that they compile without any.
#pragma once

typedef unsigned char __u8;
typedef unsigned short __u16;
typedef unsigned int __u32;
typedef unsigned long long __u64;
typedef int __s32;
typedef long long __s64;
typedef _Bool bool;

#define SEC(name) __attribute__((section(name), used))
#define __uint(name, val) int(*name)[val]
#define __ulong(name, val) enum { ___bpf_concat(__unique_value, __COUNTER__) = val } name
#define ___bpf_concat(a, b) ___bpf_concat2(a, b)
#define ___bpf_concat2(a, b) a##b
#define __type(name, val) typeof(val) *name
#define __array(name, val) typeof(val) *name[]
#define __noinline __attribute__((noinline))
#define __weak __attribute__((weak))
#define __hidden __attribute__((visibility("hidden")))
#define __kconfig __attribute__((section(".kconfig")))
#define __ksym __attribute__((section(".ksyms")))
#define __core __attribute__((preserve_access_index))
#define LICENSE char _license[] SEC("license") = "GPL"

enum {
  MAP_HASH = 1,
  MAP_ARRAY = 2,
  MAP_PROG_ARRAY = 3,
  MAP_PERF_EVENT_ARRAY = 4,
  MAP_ARRAY_OF_MAPS = 12,
  MAP_HASH_OF_MAPS = 13,
  MAP_RINGBUF = 27,
  MAP_BLOOM_FILTER = 30,
};

struct __sk_buff {
  __u32 len;
  __u32 pkt_type;
  __u32 mark;
};
struct xdp_md {
  __u32 data;
  __u32 data_end;
};

static void *(*bpf_map_lookup_elem)(void *map, const void *key) = (void *)1;
static long (*bpf_map_update_elem)(void *map, const void *key, const void *value, __u64 flags) = (void *)2;
static __u64 (*bpf_ktime_get_ns)(void) = (void *)5;
static long (*bpf_tail_call)(void *ctx, void *map, __u32 index) = (void *)12;
static long (*bpf_probe_read_kernel)(void *dst, __u32 size, const void *src) = (void *)113;
static long (*bpf_for_each_map_elem)(void *map, void *callback, void *ctx, __u64 flags) = (void *)164;
