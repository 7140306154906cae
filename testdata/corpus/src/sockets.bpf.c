/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf.h"

SEC("tc")
int socket_lookup(struct __sk_buff *skb)
{
	struct bpf_sock_tuple t = {};
	struct bpf_sock *sk;
	__u32 r = 0;

	t.ipv4.saddr = skb->mark;
	sk = bpf_sk_lookup_tcp(skb, &t, sizeof(t.ipv4), BPF_F_CURRENT_NETNS, 0);
	if (sk) {
		r = sk->family + sk->state;
		bpf_sk_release(sk);
	}
	return r & 1;
}

SEC("cgroup_skb/egress")
int own_socket(struct __sk_buff *skb)
{
	struct bpf_sock *sk = skb->sk;
	struct bpf_tcp_sock *tp;

	if (!sk)
		return 1;
	sk = bpf_sk_fullsock(sk);
	if (!sk)
		return 1;
	tp = bpf_tcp_sock(sk);
	return tp ? tp->snd_cwnd > 1 : sk->protocol != 17;
}
