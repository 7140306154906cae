/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_STACK_TRACE);
	__uint(max_entries, 64);
	__uint(key_size, 4);
	__uint(value_size, 127 * 8);
} stacks SEC(".maps");

SEC("kprobe/schedule")
int stack_id(void *ctx)
{
	return bpf_get_stackid(ctx, &stacks, 0) < 0;
}

SEC("kprobe/schedule")
int stack_copy(void *ctx)
{
	__u64 frames[8] = {};
	long n = bpf_get_stack(ctx, frames, sizeof(frames), BPF_F_USER_STACK);

	return n > 0 ? frames[0] != 0 : 0;
}
