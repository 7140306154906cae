/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf.h"

SEC("kprobe/do_exit")
NAKED int alu_mix(void)
{
	asm volatile("call 5;"
		     "r6 = r0; r7 = r0;"
		     "r6 &= 255; r7 >>= 48;"
		     "w6 *= 3; r7 s>>= 2;"
		     "r8 = r6; r8 -= r7; r8 |= 1; r8 ^= 6;"
		     "r8 <<= 5; w8 >>= 3; w8 s>>= 1;"
		     "r9 = r8; r9 = -r9;"
		     "if r6 == 0 goto 1f;"
		     "r8 /= r6; r8 %%= r6;"
		     "w8 /= 7; w8 %%= 5; r8 /= 9; r8 %%= 4;"
		     "1: r9 = be16 r9; r8 = be32 r8; r8 = be64 r8; r7 = le32 r7; r7 = bswap64 r7; r6 = bswap16 r6;"
		     "r1 = 0x123456789abcdef0 ll;"
		     "r0 = r8; r0 ^= r9; r0 += r1; r0 += r7; r0 += r6;"
		     "exit;" ::: "memory");
}

SEC("kprobe/do_exit")
NAKED int signed_ops(void)
{
	asm volatile("call 5;"
		     "r6 = r0;"
		     "r1 = (s8)r6; r2 = (s16)r6; r3 = (s32)r6; w4 = (s8)w6; w5 = (s16)w6;"
		     "r1 s/= 3; r2 s%%= 5; w4 s/= w5;"
		     "if w5 == 0 goto 1f;"
		     "w4 s%%= w5;"
		     "1: if r1 s> r2 goto 2f; if w3 s< -5 goto 2f;"
		     "if r1 & 4 goto 2f; if w1 & w2 goto 2f;"
		     "r1 += r3;"
		     "2: r0 = r1; r0 += r4;"
		     "exit;" ::: "memory");
}
