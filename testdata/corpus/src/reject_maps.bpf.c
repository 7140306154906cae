/* SPDX-License-Identifier: BSD-2-Clause */
/* Programs that Linux refuses, each for a reason of its own. */
#include "bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8);
	__type(key, __u32);
	__type(value, __u64);
} h SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 8);
	__uint(map_flags, BPF_F_RDONLY_PROG);
	__type(key, __u32);
	__type(value, __u64);
} ro SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} rb SEC(".maps");

SEC("kprobe/do_exit")
int no_null_check(void *ctx)
{
	__u32 k = 1;
	__u64 *v = bpf_map_lookup_elem(&h, &k);

	return *v;
}

SEC("kprobe/do_exit")
int key_is_a_number(void *ctx)
{
	__u64 *v = bpf_map_lookup_elem(&h, (void *)8);

	return v != 0;
}

SEC("kprobe/do_exit")
int past_value(void *ctx)
{
	__u32 k = 1;
	__u64 *v = bpf_map_lookup_elem(&h, &k);

	return v ? v[1] : 0;
}

SEC("kprobe/do_exit")
int before_value(void *ctx)
{
	__u32 k = 1;
	__s64 i = (__s32)bpf_get_prandom_u32();
	__u8 *v = bpf_map_lookup_elem(&h, &k);

	if (!v || i > 4)
		return 0;
	return v[i];
}

SEC("kprobe/do_exit")
int unbounded_index(void *ctx)
{
	__u32 k = 1;
	__u64 i = bpf_ktime_get_ns();
	__u8 *v = bpf_map_lookup_elem(&h, &k);

	return v ? v[i] : 0;
}

SEC("kprobe/do_exit")
int read_only_map(void *ctx)
{
	__u32 k = 1;
	__u64 *v = bpf_map_lookup_elem(&ro, &k);

	if (v)
		*v = 3;
	return 0;
}

SEC("kprobe/do_exit")
int leaked_reservation(void *ctx)
{
	void *p = bpf_ringbuf_reserve(&rb, 8, 0);

	return p != 0;
}

SEC("kprobe/do_exit")
int double_submit(void *ctx)
{
	__u64 *p = bpf_ringbuf_reserve(&rb, 8, 0);

	if (!p)
		return 0;
	bpf_ringbuf_submit(p, 0);
	bpf_ringbuf_submit(p, 0);
	return 0;
}

SEC("kprobe/do_exit")
int use_after_submit(void *ctx)
{
	__u64 *p = bpf_ringbuf_reserve(&rb, 8, 0);

	if (!p)
		return 0;
	bpf_ringbuf_submit(p, 0);
	return *(volatile __u64 *)p;
}

SEC("kprobe/do_exit")
int reservation_overrun(void *ctx)
{
	__u64 *p = bpf_ringbuf_reserve(&rb, 8, 0);

	if (!p)
		return 0;
	p[1] = 1;
	bpf_ringbuf_submit(p, 0);
	return 0;
}

SEC("kprobe/do_exit")
int wrong_map_for_helper(void *ctx)
{
	__u64 v = 0;

	return bpf_ringbuf_output(&h, &v, 8, 0);
}

SEC("kprobe/do_exit")
int map_pointer_write(void *ctx)
{
	*(volatile __u64 *)&rb = 1;
	return 0;
}
