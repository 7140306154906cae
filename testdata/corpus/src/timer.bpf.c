/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf.h"

struct elem {
	struct bpf_timer t;
	__u64 n;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8);
	__type(key, int);
	__type(value, struct elem);
} timers SEC(".maps");

static int fired(void *map, int *key, struct elem *e)
{
	e->n++;
	if (e->n < 10)
		bpf_timer_start(&e->t, 1000000, 0);
	return 0;
}

SEC("tc")
int arm(struct __sk_buff *skb)
{
	int key = 1;
	struct elem *e = bpf_map_lookup_elem(&timers, &key);

	if (!e)
		return 0;
	bpf_timer_init(&e->t, &timers, 1);
	bpf_timer_set_callback(&e->t, fired);
	bpf_timer_start(&e->t, 1000, 0);
	return 0;
}
