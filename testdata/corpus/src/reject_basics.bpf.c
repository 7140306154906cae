/* SPDX-License-Identifier: BSD-2-Clause */
/* Programs that Linux refuses, each for a reason of its own. */
#include "bpf.h"

#define TP SEC("tracepoint/sched/sched_switch") NAKED

TP int uninit_register(void) { asm volatile("r0 = r5; exit;"); }
TP int no_return_value(void) { asm volatile("exit;"); }
TP int clobbered_by_call(void) { asm volatile("r1 = 1; call 7; r0 = r1; exit;"); }
TP int write_frame_pointer(void) { asm volatile("r10 = 1; r0 = 0; exit;"); }
TP int pointer_times(void) { asm volatile("r0 = r10; r0 *= 8; r0 = 0; exit;"); }
TP int pointer_sum(void) { asm volatile("r0 = r10; r0 += r1; r0 = 0; exit;"); }
TP int pointer_32bit(void) { asm volatile("r2 = r10; w2 -= 1; *(u8 *)(r2 + 0) = 1; r0 = 0; exit;"); }
TP int scalar_minus_pointer(void) { asm volatile("r0 = 5; r0 -= r10; exit;"); }
TP int shift_too_far(void) { asm volatile("r0 = 1; .byte 0x67, 0, 0, 0, 64, 0, 0, 0; exit;"); }
TP int division_by_zero(void) { asm volatile("r0 = 1; .byte 0x37, 0, 0, 0, 0, 0, 0, 0; exit;"); }
TP int unbounded_pointer(void) { asm volatile("call 7; r1 = r0; r2 = r10; r2 += r1; r0 = *(u8 *)(r2 - 8); exit;"); }
TP int huge_offset(void) { asm volatile("r2 = r10; r2 += 0x7fffffff; r0 = *(u8 *)(r2 + 0); exit;"); }
TP int scalar_dereference(void) { asm volatile("r1 = 4096; r0 = *(u64 *)(r1 + 0); exit;"); }
TP int infinite(void) { asm volatile("r0 = 0; 1: goto 1b; exit;"); }
TP int endless_counter(void) { asm volatile("r0 = 0; 1: r0 ^= 1; if r0 != 7 goto 1b; exit;"); }
TP int falls_off(void) { asm volatile("r0 = 0;"); }
TP int jump_out(void) { asm volatile("r0 = 0; goto +100; exit;"); }
TP int unreachable_tail(void) { asm volatile("r0 = 0; exit; r0 = 1; exit;"); }
TP int unknown_opcode(void) { asm volatile("r0 = 0; .byte 0xff, 0, 0, 0, 0, 0, 0, 0; exit;"); }
TP int reserved_field(void) { asm volatile(".byte 0xbf, 0x10, 0, 0, 1, 0, 0, 0; exit;"); }
TP int unknown_helper(void) { asm volatile("call 9999; exit;"); }
TP int ctx_far_beyond(void) { asm volatile("r2 = *(u64 *)(r1 + 32760); r0 = 0; exit;"); }
TP int into_ldimm64(void) { asm volatile("r0 = 0; if r0 == 0 goto +1; r1 = 0x100000000 ll; exit;"); }
TP int below_the_frame(void) { asm volatile("r1 = 0; *(u64 *)(r10 - 520) = r1; r0 = 0; exit;"); }
