/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf.h"

SEC("socket")
int by_proto(struct __sk_buff *skb)
{
	return skb->protocol == 0x0008 ? skb->len : 0;
}

SEC("socket")
int load_bytes(struct __sk_buff *skb)
{
	__u8 b[4] = {};

	bpf_skb_load_bytes(skb, 23, b, 1);
	return b[0] == 17 ? -1 : 0;
}

unsigned long long load_byte(void *skb, unsigned long long off) asm("llvm.bpf.load.byte");
unsigned long long load_half(void *skb, unsigned long long off) asm("llvm.bpf.load.half");
unsigned long long load_word(void *skb, unsigned long long off) asm("llvm.bpf.load.word");

SEC("socket")
int classic(struct __sk_buff *skb)
{
	unsigned long long n = load_byte(skb, 14) & 15;

	if (load_half(skb, 12) != 0x800)
		return 0;
	return load_word(skb, 14 + n * 4) == 0x1bb;
}
