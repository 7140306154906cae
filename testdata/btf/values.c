// A program with maps and global data of many types.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
typedef unsigned int u32; typedef unsigned long long u64; typedef int i_t;
enum col { RED, GREEN = 5, NEG = -2 }; enum e64 { BIGV = 0x1ffffffffULL, LOWV = 2 }; enum tiny { T0, T100 = 100 } __attribute__((mode(byte)));
struct inner { u32 a; short b[3]; };
struct val {
 int i; char spec[8]; char raw[4]; unsigned char uc[4]; enum col col; void *p; struct inner in; u32 bf1:3; int bf2:5; u64 bf3:40; int (*fn)(int); enum e64 e64; __int128 i128; _Bool yes; enum tiny tn;
 union { int u1; long u2; }; struct { short an; }; i_t td; const volatile u64 cv; long arr2[2][2]; struct inner ina[2]; signed char sc; unsigned short us; char empty[4]; char bad[4]; enum col colarr[3];
};
struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 4); __type(key, u32); __type(value, struct val); } hmap SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 2); __type(key, u32); __type(value, u64); } amap SEC(".maps");
struct flt { int a; float f; int b; };
struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 1); __type(key, u32); __type(value, struct flt); } fmap SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY); __uint(max_entries, 1); __type(key, u32); __type(value, struct inner); } pmap SEC(".maps");
struct val g_val = { .i = -5, .spec = "spec", .raw = "\1ab", .uc = "xy", .col = GREEN, .p = (void*)0, .in = { 9, {1,-2,3} }, .bf1 = 5, .bf2 = -3, .bf3 = 0x123456789, .e64 = BIGV, .i128 = 5, .yes = 1, .tn = T0, .u2 = -1, .an = 7, .td = 8, .cv = 9, .arr2 = {{1,2},{3,4}}, .sc = -1, .us = 65535, .bad = "abcd", .colarr = { NEG, RED, 99 } };
int counter = 12; static volatile int hidden = 157; const volatile int ro_x = 3; char msg[] = "hello"; int zeroed[3];
static __noinline int helper(struct __sk_buff *ctx, const char *s, int n) { return ctx->len + n + s[n & 1]; }
SEC("tc") int prog(struct __sk_buff *skb) { u32 k = 0; u64 *v = bpf_map_lookup_elem(&amap, &k); struct val *h = bpf_map_lookup_elem(&hmap, &k); if (v) (*v)++; if (h) h->i++; bpf_map_lookup_elem(&pmap, &k); bpf_map_lookup_elem(&fmap, &k); counter++; hidden++; zeroed[0]++; g_val.i++; return helper(skb, msg, ro_x) + hidden; }
char _license[] SEC("license") = "GPL";
