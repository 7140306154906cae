/* SPDX-License-Identifier: BSD-2-Clause */
/* Context fields of the program types around sockets: all that may be read, and what may not. */
#include "bpf.h"

#define READ(x) (void)*(volatile typeof(x) *)&(x)

SEC("cgroup/connect4")
int connect4(struct bpf_sock_addr *ctx)
{
	READ(ctx->user_family);
	READ(ctx->user_ip4);
	READ(ctx->user_port);
	READ(ctx->family);
	READ(ctx->type);
	READ(ctx->protocol);
	ctx->user_ip4 = 0x0100007f;
	ctx->user_port = 80;
	return 1;
}

SEC("cgroup/connect6")
int connect6(struct bpf_sock_addr *ctx)
{
	READ(ctx->user_ip6[0]);
	READ(ctx->user_ip6[3]);
	READ(*(__u64 *)&ctx->user_ip6[2]);
	ctx->user_ip6[1] = 0;
	return 1;
}

SEC("cgroup/connect4")
int connect4_reads_ip6(struct bpf_sock_addr *ctx)
{
	READ(ctx->user_ip6[0]);
	return 1;
}

SEC("cgroup/sendmsg4")
int sendmsg4(struct bpf_sock_addr *ctx)
{
	READ(ctx->msg_src_ip4);
	ctx->msg_src_ip4 = 0;
	return 1;
}

SEC("cgroup/connect4")
int connect4_reads_msg(struct bpf_sock_addr *ctx)
{
	READ(ctx->msg_src_ip4);
	return 1;
}

SEC("cgroup/bind4")
int bind4(struct bpf_sock_addr *ctx)
{
	struct bpf_sock *sk = ctx->sk;

	if (sk)
		READ(sk->family);
	return 3;
}

SEC("cgroup/connect4")
int connect4_returns_three(struct bpf_sock_addr *ctx)
{
	return 3;
}

SEC("cgroup/recvmsg4")
int recvmsg4_returns_zero(struct bpf_sock_addr *ctx)
{
	return 0;
}

SEC("cgroup/getpeername6")
int getpeername6(struct bpf_sock_addr *ctx)
{
	ctx->user_ip6[0] = 1;
	return 1;
}

SEC("cgroup/sock_create")
int sock_create(struct bpf_sock *sk)
{
	READ(sk->bound_dev_if);
	READ(sk->family);
	READ(sk->type);
	READ(sk->protocol);
	READ(sk->mark);
	READ(sk->priority);
	sk->mark = 5;
	sk->priority = 1;
	return 1;
}

SEC("cgroup/sock_create")
int sock_create_reads_port(struct bpf_sock *sk)
{
	READ(sk->src_port);
	return 1;
}

SEC("cgroup/post_bind4")
int post_bind4(struct bpf_sock *sk)
{
	READ(sk->src_ip4);
	READ(sk->src_port);
	return 1;
}

SEC("cgroup/post_bind4")
int post_bind4_reads_ip6(struct bpf_sock *sk)
{
	READ(sk->src_ip6[0]);
	return 1;
}

SEC("cgroup/getsockopt")
int getsockopt(struct bpf_sockopt *ctx)
{
	__u8 *p = ctx->optval, *end = ctx->optval_end;

	READ(ctx->level);
	READ(ctx->optname);
	READ(ctx->optlen);
	if (p + 1 > end)
		return 0;
	p[0] = 1;
	ctx->optlen = 1;
	ctx->retval = 0;
	return 1;
}

SEC("cgroup/setsockopt")
int setsockopt(struct bpf_sockopt *ctx)
{
	ctx->level = 1;
	ctx->optname = 2;
	ctx->optlen = -1;
	return 1;
}

SEC("cgroup/setsockopt")
int setsockopt_writes_retval(struct bpf_sockopt *ctx)
{
	ctx->retval = 0;
	return 1;
}

SEC("cgroup/getsockopt")
int getsockopt_writes_level(struct bpf_sockopt *ctx)
{
	ctx->level = 1;
	return 1;
}

SEC("cgroup/sysctl")
int sysctl(struct bpf_sysctl *ctx)
{
	char name[16];

	READ(ctx->write);
	READ(ctx->file_pos);
	ctx->file_pos = 0;
	bpf_sysctl_get_name(ctx, name, sizeof(name), 0);
	return 1;
}

SEC("cgroup/sysctl")
int sysctl_writes_write(struct bpf_sysctl *ctx)
{
	ctx->write = 1;
	return 1;
}

SEC("cgroup/dev")
int device(struct bpf_cgroup_dev_ctx *ctx)
{
	READ(*(__u16 *)&ctx->access_type);
	return ctx->major == 1 && (ctx->access_type >> 16) == 2 && ctx->minor < 9;
}

SEC("cgroup/dev")
int device_written(struct bpf_cgroup_dev_ctx *ctx)
{
	ctx->major = 1;
	return 1;
}

SEC("sockops")
int sockops_fields(struct bpf_sock_ops *ctx)
{
	struct bpf_sock *sk = ctx->sk;

	READ(ctx->op);
	READ(ctx->args[1]);
	READ(ctx->family);
	READ(ctx->remote_ip4);
	READ(ctx->local_ip6[2]);
	READ(ctx->remote_port);
	READ(ctx->local_port);
	READ(ctx->is_fullsock);
	READ(ctx->snd_cwnd);
	READ(ctx->srtt_us);
	READ(ctx->state);
	READ(ctx->rtt_min);
	READ(ctx->bytes_acked);
	READ(ctx->sk_txhash);
	READ(ctx->skb_len);
	READ(ctx->skb_tcp_flags);
	READ(ctx->skb_hwtstamp);
	if (sk)
		READ(sk->mark);
	ctx->reply = 3;
	ctx->sk_txhash = 7;
	bpf_sock_ops_cb_flags_set(ctx, 1);
	return 1;
}

SEC("sockops")
int sockops_writes_op(struct bpf_sock_ops *ctx)
{
	ctx->op = 3;
	return 1;
}

SEC("sockops")
int sockops_returns_two(struct bpf_sock_ops *ctx)
{
	return 2;
}

SEC("sk_lookup")
int sk_lookup_reads(struct bpf_sk_lookup *ctx)
{
	struct bpf_sock *sk = ctx->sk;

	READ(ctx->family);
	READ(ctx->protocol);
	READ(ctx->remote_ip4);
	READ(*(__u16 *)&ctx->remote_port);
	READ(ctx->local_ip4);
	READ(ctx->local_ip6[1]);
	READ(ctx->local_port);
	READ(ctx->ingress_ifindex);
	READ(ctx->cookie);
	if (sk)
		READ(sk->state);
	return 1;
}

SEC("sk_lookup")
int sk_lookup_written(struct bpf_sk_lookup *ctx)
{
	ctx->local_port = 1;
	return 1;
}

SEC("sk_msg")
int sk_msg_data(struct sk_msg_md *ctx)
{
	__u8 *p = ctx->data, *end = ctx->data_end;

	READ(ctx->family);
	READ(ctx->remote_ip4);
	READ(ctx->local_ip6[0]);
	READ(ctx->remote_port);
	READ(ctx->local_port);
	READ(ctx->size);
	if (p + 4 > end)
		return 1;
	p[1] = p[0];
	return 1;
}

SEC("sk_msg")
int sk_msg_reads_half(struct sk_msg_md *ctx)
{
	return *(volatile __u32 *)&ctx->data;
}

SEC("sk_skb/stream_parser")
int stream_parser(struct __sk_buff *skb)
{
	READ(skb->family);
	READ(skb->remote_ip4);
	READ(skb->local_port);
	return skb->len;
}

SEC("sk_skb/stream_verdict")
int stream_verdict(struct __sk_buff *skb)
{
	skb->tc_index = 1;
	skb->priority = 2;
	return 1;
}

SEC("sk_skb/stream_verdict")
int stream_reads_mark(struct __sk_buff *skb)
{
	return skb->mark;
}

SEC("sk_reuseport")
int reuseport(struct sk_reuseport_md *ctx)
{
	__u8 *p = ctx->data, *end = ctx->data_end;
	struct bpf_sock *sk = ctx->sk;

	READ(ctx->len);
	READ(ctx->eth_protocol);
	READ(ctx->ip_protocol);
	READ(ctx->bind_inany);
	READ(ctx->hash);
	if (p + 2 <= end)
		READ(p[1]);
	READ(sk->state);
	return 1;
}

SEC("sk_reuseport")
int reuseport_written(struct sk_reuseport_md *ctx)
{
	ctx->hash = 1;
	return 1;
}

SEC("flow_dissector")
int dissects(struct __sk_buff *skb)
{
	struct bpf_flow_keys *keys = skb->flow_keys;
	__u8 *p = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;

	keys->nhoff = 14;
	keys->thoff = keys->nhoff + 20;
	keys->ip_proto = 6;
	if (p + 1 > end)
		return 1;
	return p[0] == 0x45 ? 0 : 129;
}

SEC("flow_dissector")
int flow_dissector_returns_seven(struct __sk_buff *skb)
{
	return 7;
}

SEC("flow_dissector")
int flow_keys_beyond(struct __sk_buff *skb)
{
	struct bpf_flow_keys *keys = skb->flow_keys;

	return *(volatile __u32 *)(keys + 1);
}

SEC("netfilter")
int netfilter_accepts(void *ctx)
{
	return 1;
}

SEC("netfilter")
int netfilter_returns_two(void *ctx)
{
	return 2;
}

SEC("lirc_mode2")
int lirc(unsigned int *sample)
{
	return *sample & 1;
}

SEC("lirc_mode2")
int lirc_wide(unsigned int *sample)
{
	return *(volatile __u64 *)sample;
}
