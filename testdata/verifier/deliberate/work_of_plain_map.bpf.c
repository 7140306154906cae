/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A work queue is handed over with a map that has no special fields. Linux 6.18.44 reads a bad address while it
 * verifies this, and the loading process dies: never load it there.
 */
#include "kfuncs.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8);
	__type(key, __u32);
	__type(value, __u64);
} plain SEC(".maps");

struct work_value {
	struct bpf_wq wq;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, int);
	__type(value, struct work_value);
} works SEC(".maps");

extern int bpf_wq_init(struct bpf_wq *wq, void *p__map, unsigned int flags) __ksym;

SEC("tc")
int work_of_plain_map(struct __sk_buff *skb)
{
	struct work_value *v;
	int k = 0;

	v = bpf_map_lookup_elem(&works, &k);
	if (v)
		bpf_wq_init(&v->wq, &plain, 0);
	return 0;
}
