/* SPDX-License-Identifier: BSD-2-Clause */
/* A program array with programs in it, which a loader program cannot fill. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

int target(struct __sk_buff *skb);

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 2);
	__uint(key_size, 4);
	__array(values, int(void *));
} jumps SEC(".maps") = { .values = { [1] = (void *)&target } };

SEC("tc")
int target(struct __sk_buff *skb)
{
	return 1;
}

SEC("tc")
int main_program(struct __sk_buff *skb)
{
	bpf_tail_call(skb, &jumps, 1);
	return 0;
}

char _license[] SEC("license") = "GPL";
