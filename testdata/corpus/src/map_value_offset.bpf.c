/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u8[64]);
} bytes SEC(".maps");

SEC("tracepoint/raw_syscalls/sys_enter")
int variable_offset(void *ctx)
{
	__u32 zero = 0;
	__u64 i = bpf_get_prandom_u32();
	__u8 *v = bpf_map_lookup_elem(&bytes, &zero);

	if (!v || i >= 60)
		return 0;
	v[i] = 1;
	*(__u16 *)(v + (i & 62)) = 2;
	return v[i + 3];
}

SEC("tracepoint/raw_syscalls/sys_exit")
int variable_size(void *ctx)
{
	__u32 zero = 0;
	__s64 n = bpf_get_prandom_u32();
	__u8 *v = bpf_map_lookup_elem(&bytes, &zero);

	if (!v)
		return 0;
	n &= 63;
	bpf_probe_read_kernel(v, n, ctx);
	return bpf_probe_read_user_str(v, n + 1, (void *)n) < 0;
}
