/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf.h"

struct entry {
	__u32 hits;
	__u32 misses;
	__u64 last;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 17);
	__type(key, __u32);
	__type(value, struct entry);
} table SEC(".maps");

SEC("kprobe/do_sys_openat2")
int by_index(void *ctx)
{
	__u32 i = bpf_get_smp_processor_id();
	struct entry *e = bpf_map_lookup_elem(&table, &i);

	if (!e)
		return 0;
	e->hits++;
	e->last = bpf_ktime_get_ns();
	return 0;
}

SEC("kprobe/vfs_read")
int by_constant(void *ctx)
{
	__u32 i = 16;
	struct entry *e = bpf_map_lookup_elem(&table, &i);

	if (e && e->hits > 10)
		e->misses = e->hits / 3;
	return 0;
}
