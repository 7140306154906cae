/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf.h"

const volatile int enabled = 0;
const volatile int level = 3;

SEC("kprobe/do_exit")
int dead_code(void *ctx)
{
	if (enabled) {
		bpf_printk("never %d", level);
		return 5;
	}
	if (level > 2)
		return level;
	return 1;
}

SEC("kprobe/do_exit")
NAKED int hard_wired(void)
{
	asm volatile("r6 = 5;"
		     "if r6 > 4 goto 1f;"
		     "r0 = 9; r0 += r6; exit;"
		     "1: if r6 == 5 goto 2f;"
		     "r0 = 7; exit;"
		     "2: goto 3f;"
		     "3: r0 = 1;"
		     "exit;" ::: "memory");
}
