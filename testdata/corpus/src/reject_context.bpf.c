/* SPDX-License-Identifier: BSD-2-Clause */
/* Programs that Linux refuses, each for a reason of its own. */
#include "bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u32);
} jumps SEC(".maps");

SEC("xdp")
int no_bounds_check(struct xdp_md *ctx)
{
	return *(__u8 *)(long)ctx->data;
}

SEC("xdp")
int check_too_short(struct xdp_md *ctx)
{
	__u8 *p = (void *)(long)ctx->data;

	if (p + 13 > (__u8 *)(long)ctx->data_end)
		return 0;
	return p[13];
}

SEC("xdp")
int stale_after_adjust(struct xdp_md *ctx)
{
	__u8 *p = (void *)(long)ctx->data;

	if (p + 14 > (__u8 *)(long)ctx->data_end)
		return 0;
	bpf_xdp_adjust_head(ctx, 4);
	return p[0];
}

SEC("xdp")
NAKED int write_ctx(void) { asm volatile("*(u32 *)(r1 + 0) = 1; r0 = 0; exit;"); }

SEC("xdp")
NAKED int ctx_beyond(void) { asm volatile("r0 = *(u32 *)(r1 + 24); exit;"); }

SEC("xdp")
NAKED int ctx_odd_width(void) { asm volatile("r0 = *(u64 *)(r1 + 0); exit;"); }

SEC("xdp")
NAKED int modified_ctx(void) { asm volatile("r1 += 4; r2 = 0; call 54; r0 = 0; exit;"); }

SEC("socket")
NAKED int socket_data(void) { asm volatile("r0 = *(u32 *)(r1 + 76); exit;"); }

SEC("socket")
NAKED int socket_writes_mark(void) { asm volatile("r2 = 1; *(u32 *)(r1 + 8) = r2; r0 = 0; exit;"); }

SEC("cgroup_skb/ingress")
NAKED int verdict_out_of_range(void) { asm volatile("r0 = 2; exit;"); }

SEC("cgroup_skb/egress")
NAKED int verdict_unknown(void) { asm volatile("r0 = *(u32 *)(r1 + 0); exit;"); }

SEC("tc")
int leaked_socket(struct __sk_buff *skb)
{
	struct bpf_sock_tuple t = {};

	return bpf_sk_lookup_tcp(skb, &t, sizeof(t.ipv4), -1, 0) != 0;
}

SEC("tc")
int packet_unbounded_index(struct __sk_buff *skb)
{
	__u8 *p = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;

	p += skb->mark;
	if (p + 1 > end)
		return 0;
	return *p;
}

SEC("kprobe/do_exit")
NAKED int kprobe_write(void) { asm volatile("r2 = 0; *(u64 *)(r1 + 0) = r2; r0 = 0; exit;"); }

SEC("kprobe/do_exit")
NAKED int kprobe_unaligned(void) { asm volatile("r0 = *(u64 *)(r1 + 4); exit;"); }

SEC("raw_tracepoint/sys_enter")
NAKED int raw_narrow(void) { asm volatile("r0 = *(u32 *)(r1 + 0); exit;"); }

SEC("xdp")
NAKED int tail_call_bad_map(void) { asm volatile("r2 = 0; r3 = 0; call 12; r0 = 0; exit;"); }

SEC("tc")
NAKED int ld_abs_without_ctx(void) { asm volatile("r0 = *(u8 *)skb[14]; exit;"); }
