/* SPDX-License-Identifier: BSD-2-Clause */
// options: -mcpu=v4
/* The newest instructions: sign extension, byte swaps, signed division, long jumps, acquire and release. */
#include "bpf.h"

long cell;
struct { signed char b; short h; int w; long d; } small;

SEC("socket")
long sign_extending_loads(struct __sk_buff *skb)
{
	return (long)*(volatile signed char *)&small.b + *(volatile short *)&small.h + *(volatile int *)&small.w;
}

SEC("socket")
NAKED long sign_extending_moves(struct __sk_buff *skb)
{
	asm volatile(
		"r0 = *(u32 *)(r1 + 8);"
		"r2 = (s8)r0;"
		"r3 = (s16)r0;"
		"r4 = (s32)r0;"
		"w5 = (s8)w0;"
		"w6 = (s16)w0;"
		"r0 = r2;"
		"r0 += r3; r0 += r4; r0 += r5; r0 += r6;"
		"exit;");
}

SEC("socket")
NAKED long sign_extension_bounds(struct __sk_buff *skb)
{
	asm volatile(
		"r0 = *(u32 *)(r1 + 8);"
		"r0 &= 0xff;"
		"r0 = (s8)r0;"
		"if r0 s> 127 goto 1f;"
		"if r0 s< -128 goto 1f;"
		"r0 = 0;"
		"exit;"
		"1: r0 = *(u64 *)(r10 + 8);"
		"exit;");
}

SEC("socket")
NAKED long sign_extended_pointer(struct __sk_buff *skb)
{
	asm volatile(
		"r0 = (s32)r1;"
		"exit;");
}

SEC("socket")
NAKED long byte_swaps(struct __sk_buff *skb)
{
	asm volatile(
		"r0 = *(u32 *)(r1 + 8);"
		"r2 = r0; r2 = bswap16 r2;"
		"r3 = r0; r3 = bswap32 r3;"
		"r4 = r0; r4 = bswap64 r4;"
		"r5 = r0; r5 = be16 r5;"
		"r6 = r0; r6 = le32 r6;"
		"r0 = r2; r0 ^= r3; r0 ^= r4; r0 ^= r5; r0 ^= r6;"
		"exit;");
}

SEC("socket")
NAKED long signed_division(struct __sk_buff *skb)
{
	asm volatile(
		"r0 = *(u32 *)(r1 + 8);"
		"r2 = *(u32 *)(r1 + 0);"
		"r3 = r0; r3 s/= r2;"
		"r4 = r0; r4 s%= r2;"
		"w5 = w0; w5 s/= w2;"
		"w6 = w0; w6 s%= -1;"
		"r7 = r0; r7 s/= -1;"
		"r8 = r0; r8 s/= 10;"
		"r0 = r3; r0 += r4; r0 += r5; r0 += r6; r0 += r7; r0 += r8;"
		"exit;");
}

SEC("socket")
NAKED long long_jump(struct __sk_buff *skb)
{
	asm volatile(
		"r0 = 0;"
		"gotol 1f;"
		"r0 = 1;"
		"1: r0 += 2;"
		"exit;");
}

SEC("socket")
NAKED long acquire_release(struct __sk_buff *skb)
{
	asm volatile(
		"r2 = %[cell] ll;"
		".8byte 0x10000000021db;"
		"r1 = 0;"
		"*(u64 *)(r10 - 8) = r1;"
		".8byte 0x110fff81adb;"
		"r0 = 0;"
		"exit;"
		:: [cell]"i"(&cell));
}

SEC("socket")
NAKED long load_acquire(struct __sk_buff *skb)
{
	asm volatile(
		"r1 = %[cell] ll;"
		".8byte 0x100000010db;"
		"r2 = 5;"
		".8byte 0x110000021db;"
		".8byte 0x100000010c3;"
		".8byte 0x110000021cb;"
		".8byte 0x100000010d3;"
		"exit;"
		:: [cell]"i"(&cell));
}

SEC("socket")
NAKED long acquire_from_context(struct __sk_buff *skb)
{
	asm volatile(
		".8byte 0x100000810c3;"
		"exit;");
}

SEC("xdp")
NAKED int release_to_packet(struct xdp_md *ctx)
{
	asm volatile(
		"r2 = *(u32 *)(r1 + 0);"
		"r3 = *(u32 *)(r1 + 4);"
		"r4 = r2; r4 += 8;"
		"if r4 > r3 goto 1f;"
		"r0 = 0;"
		".8byte 0x110000002db;"
		"1: r0 = 2;"
		"exit;");
}

SEC("socket")
NAKED long reserved_offset(struct __sk_buff *skb)
{
	asm volatile(
		".8byte 0x0000000000020007b;"
		"exit;");
}

SEC("socket")
NAKED long swap_of_eight(struct __sk_buff *skb)
{
	asm volatile(
		"r0 = 1;"
		".8byte 0x8000000d7;"
		"exit;");
}
