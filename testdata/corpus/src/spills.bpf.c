/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf.h"

SEC("tracepoint/sched/sched_switch")
NAKED int spill_widths(void)
{
	asm volatile("call 7;"
		     "r6 = r0;"
		     "*(u64 *)(r10 - 8) = r6;"
		     "*(u32 *)(r10 - 16) = r6;"
		     "*(u16 *)(r10 - 24) = r6;"
		     "*(u8 *)(r10 - 32) = r6;"
		     "r1 = *(u64 *)(r10 - 8);"
		     "r2 = *(u32 *)(r10 - 16);"
		     "r3 = *(u16 *)(r10 - 24);"
		     "r4 = *(u8 *)(r10 - 32);"
		     "r5 = *(u32 *)(r10 - 8);"
		     "if r2 > 100 goto 1f;"
		     "r1 += r2;"
		     "*(u64 *)(r10 - 40) = 7;"
		     "r3 = *(u64 *)(r10 - 40);"
		     "*(u8 *)(r10 - 36) = r4;"
		     "r4 = *(u64 *)(r10 - 40);"
		     "1: r0 = 0;"
		     "exit;" ::: "memory");
}

SEC("tracepoint/sched/sched_wakeup")
NAKED int spill_pointers(void)
{
	asm volatile("*(u64 *)(r10 - 8) = r1;"
		     "*(u64 *)(r10 - 16) = r10;"
		     "r2 = *(u64 *)(r10 - 16);"
		     "r2 += -24;"
		     "r3 = 0;"
		     "*(u64 *)(r2 + 0) = r3;"
		     "r1 = *(u64 *)(r10 - 8);"
		     "r0 = *(u64 *)(r1 + 8);"
		     "r4 = *(u64 *)(r10 - 24);"
		     "if r4 != 0 goto 1f;"
		     "r0 = 1;"
		     "1: exit;" ::: "memory");
}
