/* SPDX-License-Identifier: BSD-2-Clause */
/* Loops: bounded, bounded by may_goto, and not bounded. */
#include "bpf.h"

#define CAN_LOOP ({ __label__ on, brk; int r = 1; asm volatile goto("may_goto %l[brk]" :::: brk); goto on; brk: r = 0; on: r; })

int total, table[64];

SEC("socket")
int may_goto_counts(struct __sk_buff *skb)
{
	int n = 0;

	while (CAN_LOOP)
		n++;
	return n & 1;
}

SEC("socket")
int may_goto_indexes(struct __sk_buff *skb)
{
	for (__u32 i = 0; i < 64 && CAN_LOOP; i++)
		table[i] += i;
	return 0;
}

SEC("socket")
int may_goto_nested(struct __sk_buff *skb)
{
	int n = 0;

	for (int i = 0; i < 1000 && CAN_LOOP; i++)
		for (int j = 0; j < 1000 && CAN_LOOP; j++)
			n += j;
	total = n;
	return 0;
}

SEC("socket")
int may_goto_forgets_bounds(struct __sk_buff *skb)
{
	__u32 i = 0;

	while (CAN_LOOP) {
		table[i] = 1;
		i += skb->mark & 1;
	}
	return 0;
}

SEC("socket")
NAKED int may_goto_forward(struct __sk_buff *skb)
{
	asm volatile(
		"r0 = 0;"
		".8byte 0xe5 | 1 << 16;"
		"r0 = 1;"
		"exit;");
}

SEC("socket")
NAKED int for_ever(struct __sk_buff *skb)
{
	asm volatile(
		"r0 = 0;"
		"1: r0 += 1;"
		"goto 1b;"
		"exit;");
}

SEC("socket")
NAKED int for_ever_same_state(struct __sk_buff *skb)
{
	asm volatile(
		"r0 = *(u32 *)(r1 + 8);"
		"1: if r0 != 7 goto 1b;"
		"exit;");
}

SEC("socket")
NAKED int counted_down(struct __sk_buff *skb)
{
	asm volatile(
		"r0 = 40;"
		"1: r0 += -1;"
		"if r0 != 0 goto 1b;"
		"exit;");
}

SEC("socket")
NAKED int counted_by_unknown(struct __sk_buff *skb)
{
	asm volatile(
		"r2 = *(u32 *)(r1 + 8);"
		"r2 &= 15;"
		"r0 = 0;"
		"1: r0 += 2;"
		"r2 += -1;"
		"if r2 s> 0 goto 1b;"
		"exit;");
}

SEC("socket")
NAKED int spilled_counter(struct __sk_buff *skb)
{
	asm volatile(
		"r1 = 0;"
		"*(u64 *)(r10 - 8) = r1;"
		"1: r1 = *(u64 *)(r10 - 8);"
		"r1 += 1;"
		"*(u64 *)(r10 - 8) = r1;"
		"if r1 < 20 goto 1b;"
		"r0 = 0;"
		"exit;");
}

SEC("socket")
NAKED int into_the_middle(struct __sk_buff *skb)
{
	asm volatile(
		"r0 = *(u32 *)(r1 + 0);"
		"r2 = 0;"
		"if r0 > 100 goto 2f;"
		"1: r2 += 1;"
		"2: r2 += 1;"
		"if r2 < 30 goto 1b;"
		"r0 = r2;"
		"exit;");
}

SEC("socket")
NAKED int unreachable_tail(struct __sk_buff *skb)
{
	asm volatile(
		"r0 = 0;"
		"exit;"
		"r0 = 1;"
		"exit;");
}

SEC("socket")
NAKED int falls_off(struct __sk_buff *skb)
{
	asm volatile(
		"r0 = 0;"
		"if r0 == 0 goto 1f;"
		"exit;"
		"1: r0 = 1;");
}
