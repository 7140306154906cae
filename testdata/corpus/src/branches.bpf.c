/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf.h"

SEC("tc")
int many_branches(struct __sk_buff *skb)
{
	__u32 m = skb->mark, r = 0;

	if (m & 1) r += 1; else r += skb->len & 1;
	if (m & 2) r += 2; else r ^= 1;
	if (m & 4) r += 4; else r ^= 3;
	if (m & 8) r += 8; else r ^= 7;
	if (m & 16) r += 16; else r ^= 15;
	if (m & 32) r += 32; else r ^= 31;
	switch (m >> 8) {
	case 1: r += 5; break;
	case 7: r += 9; break;
	case 100: r -= 3; break;
	case 2000: return -1;
	}
	return r;
}
