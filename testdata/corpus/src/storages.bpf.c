/* SPDX-License-Identifier: BSD-2-Clause */
/* Local storage, cgroup storage, sockets in maps, queues, filters. */
#include "kfuncs.h"

#define MAP(name, t, k, v, n) struct { __uint(type, BPF_MAP_TYPE_##t); __uint(max_entries, n); __type(key, k); __type(value, v); } \
	name SEC(".maps")
#define LOCAL(name, t, v) struct { __uint(type, BPF_MAP_TYPE_##t); __uint(map_flags, BPF_F_NO_PREALLOC); __type(key, int); __type(value, v); } \
	name SEC(".maps")
#define NOKEY(name, t, v, n) struct { __uint(type, BPF_MAP_TYPE_##t); __uint(max_entries, n); __type(value, v); } name SEC(".maps")

LOCAL(tasks, TASK_STORAGE, long);
LOCAL(socks, SK_STORAGE, long);
LOCAL(groups, CGRP_STORAGE, long);
MAP(sockmap, SOCKMAP, int, int, 4);
MAP(sockhash, SOCKHASH, __u64, __u64, 4);
MAP(ports, REUSEPORT_SOCKARRAY, int, __u64, 4);
MAP(devices, DEVMAP_HASH, int, int, 4);
MAP(cpus, CPUMAP, int, int, 4);
MAP(xsks, XSKMAP, int, int, 4);
NOKEY(fifo, QUEUE, long, 8);
NOKEY(lifo, STACK, long, 8);
NOKEY(bloom, BLOOM_FILTER, long, 8);
struct {
	__uint(type, BPF_MAP_TYPE_CGROUP_STORAGE);
	__type(key, struct bpf_cgroup_storage_key);
	__type(value, long);
} shared SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE);
	__type(key, struct bpf_cgroup_storage_key);
	__type(value, long);
} own SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_CGROUP_ARRAY);
	__uint(max_entries, 2);
	__type(key, int);
	__type(value, int);
} cgroups SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_STACK_TRACE);
	__uint(max_entries, 16);
	__type(key, int);
	__uint(value_size, 64);
} stacks SEC(".maps");

SEC("kprobe/do_nanosleep")
int task_storage(void *ctx)
{
	long *v = bpf_task_storage_get(&tasks, bpf_get_current_task_btf(), 0, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (v)
		(*v)++;
	return 0;
}

SEC("kprobe/do_nanosleep")
int task_storage_of_number(void *ctx)
{
	return bpf_task_storage_get(&tasks, (void *)bpf_get_current_task(), 0, 0) != 0;
}

SEC("kprobe/do_nanosleep")
int cgroup_storage(void *ctx)
{
	bpf_task_storage_delete(&tasks, bpf_get_current_task_btf());
	return 0;
}

SEC("cgroup_skb/egress")
int socket_storage(struct __sk_buff *skb)
{
	struct bpf_sock *sk = skb->sk;
	long *v;

	if (!sk)
		return 1;
	sk = bpf_sk_fullsock(sk);
	if (!sk)
		return 1;
	v = bpf_sk_storage_get(&socks, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
	if (v)
		*v = skb->len;
	return 1;
}

SEC("cgroup_skb/egress")
int socket_storage_not_checked(struct __sk_buff *skb)
{
	return bpf_sk_storage_get(&socks, skb->sk, 0, 0) != 0;
}

SEC("cgroup_skb/egress")
int both_storages(struct __sk_buff *skb)
{
	long *a = bpf_get_local_storage(&shared, 0), *b = bpf_get_local_storage(&own, 0);

	__sync_fetch_and_add(a, 1);
	*b += skb->len;
	return 1;
}

SEC("cgroup_skb/egress")
int storage_with_flags(struct __sk_buff *skb)
{
	return bpf_get_local_storage(&shared, skb->len) != 0;
}

SEC("tc")
int storage_outside_cgroup(struct __sk_buff *skb)
{
	return bpf_get_local_storage(&shared, 0) != 0;
}

SEC("sk_msg")
int message_redirect(struct sk_msg_md *msg)
{
	__u64 key = msg->remote_port;

	bpf_msg_apply_bytes(msg, 8);
	return bpf_msg_redirect_hash(msg, &sockhash, &key, BPF_F_INGRESS);
}

SEC("sk_skb/stream_verdict")
int stream_redirect(struct __sk_buff *skb)
{
	return bpf_sk_redirect_map(skb, &sockmap, 0, 0);
}

SEC("sk_reuseport")
int select_socket(struct sk_reuseport_md *ctx)
{
	int i = ctx->hash & 3;

	return bpf_sk_select_reuseport(ctx, &ports, &i, 0) == 0;
}

SEC("sk_lookup")
int assigns_socket(struct bpf_sk_lookup *ctx)
{
	int k = 0;
	struct bpf_sock *sk = bpf_map_lookup_elem(&sockmap, &k);
	long err;

	if (!sk)
		return 1;
	err = bpf_sk_assign(ctx, sk, 0);
	bpf_sk_release(sk);
	return err ? 0 : 1;
}

SEC("sk_lookup")
int keeps_socket(struct bpf_sk_lookup *ctx)
{
	int k = 0;

	return bpf_map_lookup_elem(&sockmap, &k) != 0;
}

SEC("xdp")
int redirects(struct xdp_md *ctx)
{
	switch (ctx->rx_queue_index) {
	case 0: return bpf_redirect_map(&devices, 1, XDP_PASS);
	case 1: return bpf_redirect_map(&cpus, 1, XDP_DROP);
	case 2: return bpf_redirect_map(&xsks, 1, 0);
	}
	return bpf_redirect_map(&devices, 0, BPF_F_BROADCAST | BPF_F_EXCLUDE_INGRESS);
}

SEC("xdp")
int redirect_to_array_of_other_kind(struct xdp_md *ctx)
{
	return bpf_redirect_map(&fifo, 1, 0);
}

SEC("xdp")
int device_lookup(struct xdp_md *ctx)
{
	int k = 1, *v = bpf_map_lookup_elem(&devices, &k);

	return v ? *v & 1 : 1;
}

SEC("xdp")
int device_written(struct xdp_md *ctx)
{
	int k = 1, *v = bpf_map_lookup_elem(&devices, &k);

	if (v)
		*v = 1;
	return 1;
}

SEC("tc")
int queue_and_stack(struct __sk_buff *skb)
{
	long v = skb->len;

	bpf_map_push_elem(&fifo, &v, BPF_EXIST);
	bpf_map_peek_elem(&lifo, &v);
	bpf_map_pop_elem(&fifo, &v);
	return v & 1;
}

SEC("tc")
int queue_looked_up(struct __sk_buff *skb)
{
	long k = 0;

	return bpf_map_lookup_elem(&fifo, &k) != 0;
}

SEC("tc")
int bloom_peek(struct __sk_buff *skb)
{
	long v = skb->hash;

	bpf_map_push_elem(&bloom, &v, 0);
	return bpf_map_peek_elem(&bloom, &v) == 0;
}

SEC("tc")
int bloom_pop(struct __sk_buff *skb)
{
	long v;

	return bpf_map_pop_elem(&bloom, &v);
}

SEC("tc")
int under_cgroup(struct __sk_buff *skb)
{
	return bpf_skb_under_cgroup(skb, &cgroups, 1) == 1;
}

SEC("kprobe/do_nanosleep")
int stack_id(void *ctx)
{
	return bpf_get_stackid(ctx, &stacks, BPF_F_USER_STACK) < 0;
}

SEC("kprobe/do_nanosleep")
int stack_looked_up(void *ctx)
{
	int k = 0;

	return bpf_map_lookup_elem(&stacks, &k) != 0;
}
