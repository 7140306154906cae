/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, __u32);
	__type(value, __u32);
} m SEC(".maps");

struct ctx_data {
	__u32 most;
};

struct bpf_map;

static long each(struct bpf_map *map, __u32 *key, __u32 *val, struct ctx_data *d)
{
	if (*val > d->most)
		d->most = *val;
	return 0;
}

SEC("kprobe/do_exit")
int biggest(void *ctx)
{
	struct ctx_data d = {};

	bpf_for_each_map_elem(&m, each, &d, 0);
	return d.most != 0;
}
