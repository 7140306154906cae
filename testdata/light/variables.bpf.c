/* SPDX-License-Identifier: BSD-2-Clause */
/* Variables of the kernel, by type; a kernel without KALLSYMS_ALL finds their types, but not their addresses. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

extern const unsigned long cpu_dr7 __ksym;

SEC("tc")
int reads(struct __sk_buff *skb)
{
	unsigned long *value = (unsigned long *)bpf_per_cpu_ptr(&cpu_dr7, 0);
	unsigned long sum = *(unsigned long *)bpf_this_cpu_ptr(&cpu_dr7);

	return value ? *value + sum : sum;
}

char _license[] SEC("license") = "GPL";
