/* SPDX-License-Identifier: BSD-2-Clause */
/* Programs that Linux refuses, each for a reason of its own. */
#include "bpf.h"

#define TP SEC("tracepoint/sched/sched_switch") NAKED

TP int stack_overflow(void) { asm volatile("r1 = 0; *(u8 *)(r10 - 513) = r1; r0 = 0; exit;"); }
TP int above_the_frame(void) { asm volatile("r1 = 0; *(u64 *)(r10 + 0) = r1; r0 = 0; exit;"); }
TP int misaligned_stack(void) { asm volatile("r1 = 0; *(u64 *)(r10 - 12) = r1; r0 = 0; exit;"); }
TP int torn_pointer(void) { asm volatile("*(u64 *)(r10 - 8) = r1; r2 = 0; *(u8 *)(r10 - 8) = r2; r1 = *(u64 *)(r10 - 8); r0 = *(u64 *)(r1 + 0); exit;"); }
TP int variable_below(void) { asm volatile("call 7; w0 &= 1023; r1 = r10; r1 += -64; r1 -= r0; *(u8 *)(r1 + 0) = 1; r0 = 0; exit;"); }
TP int helper_past_frame(void) { asm volatile("r1 = r10; r1 += -8; r2 = 16; call 16; r0 = 0; exit;"); }
TP int helper_negative_size(void) { asm volatile("r1 = r10; r1 += -8; r2 = -1; call 16; r0 = 0; exit;"); }
TP int helper_zero_size(void) { asm volatile("r1 = r10; r1 += -8; r2 = 0; call 16; r0 = 0; exit;"); }
TP int helper_wrong_pointer(void) { asm volatile("r2 = 8; call 16; r0 = 0; exit;"); }
TP int helper_unbounded_size(void) { asm volatile("call 7; r2 = r0; r1 = r10; r1 += -8; call 16; r0 = 0; exit;"); }
TP int helper_not_for_type(void) { asm volatile("r2 = 0; call 44; r0 = 0; exit;"); }
TP int atomic_on_ctx(void) { asm volatile("r2 = 1; lock *(u64 *)(r1 + 0) += r2; r0 = 0; exit;"); }
