/* SPDX-License-Identifier: BSD-2-Clause */
/* Dynamic pointers over packets, and slices of them. */
#include "kfuncs.h"

struct header {
	__u8 to[6], from[6];
	__u16 proto;
};

SEC("tc")
int skb_slice(struct __sk_buff *skb)
{
	struct bpf_dynptr d;
	struct header buf, *h;

	bpf_dynptr_from_skb(skb, 0, &d);
	h = bpf_dynptr_slice(&d, 0, &buf, sizeof(buf));
	return h ? h->proto : 0;
}

SEC("xdp")
int xdp_slice_rdwr(struct xdp_md *xdp)
{
	struct bpf_dynptr d;
	struct header buf, *h;

	bpf_dynptr_from_xdp(xdp, 0, &d);
	h = bpf_dynptr_slice_rdwr(&d, 0, &buf, sizeof(buf));
	if (!h)
		return 1;
	h->proto = 8;
	if (h == &buf)
		bpf_dynptr_write(&d, 0, &buf, sizeof(buf), 0);
	return 2;
}

SEC("tc")
int slice_written(struct __sk_buff *skb)
{
	struct bpf_dynptr d;
	struct header buf, *h;

	bpf_dynptr_from_skb(skb, 0, &d);
	h = bpf_dynptr_slice(&d, 0, &buf, sizeof(buf));
	if (h)
		h->proto = 8;
	return 0;
}

SEC("cgroup_skb/ingress")
int rdwr_of_readonly(struct __sk_buff *skb)
{
	struct bpf_dynptr d;
	struct header buf, *h;

	bpf_dynptr_from_skb(skb, 0, &d);
	h = bpf_dynptr_slice_rdwr(&d, 0, &buf, sizeof(buf));
	return h ? h->proto & 1 : 0;
}

SEC("tc")
int slice_after_write(struct __sk_buff *skb)
{
	struct bpf_dynptr d;
	struct header buf, *h;
	__u8 b = 1;

	bpf_dynptr_from_skb(skb, 0, &d);
	h = bpf_dynptr_slice(&d, 0, &buf, sizeof(buf));
	bpf_dynptr_write(&d, 0, &b, 1, 0);
	return h ? h->proto : 0;
}

SEC("tc")
int slice_of_variable_size(struct __sk_buff *skb)
{
	struct bpf_dynptr d;
	char buf[32], *p;

	bpf_dynptr_from_skb(skb, 0, &d);
	p = bpf_dynptr_slice(&d, 0, buf, skb->mark & 31);
	return p ? p[0] : 0;
}

SEC("tc")
int slice_beyond_buffer(struct __sk_buff *skb)
{
	struct bpf_dynptr d;
	char buf[8], *p;

	bpf_dynptr_from_skb(skb, 0, &d);
	p = bpf_dynptr_slice(&d, 0, buf, 16);
	return p ? p[0] : 0;
}

SEC("tc")
int adjust_and_clone(struct __sk_buff *skb)
{
	struct bpf_dynptr d, c;

	bpf_dynptr_from_skb(skb, 0, &d);
	bpf_dynptr_adjust(&d, 14, skb->len);
	bpf_dynptr_clone(&d, &c);
	if (bpf_dynptr_is_null(&c) || bpf_dynptr_is_rdonly(&c))
		return 1;
	return bpf_dynptr_size(&c) > 20;
}

SEC("tc")
int uninitialised(struct __sk_buff *skb)
{
	struct bpf_dynptr d;

	return bpf_dynptr_size(&d);
}

SEC("tc")
int overwritten(struct __sk_buff *skb)
{
	struct bpf_dynptr d;

	bpf_dynptr_from_skb(skb, 0, &d);
	*(volatile __u64 *)&d = 0;
	return bpf_dynptr_size(&d);
}

SEC("tc")
int read_as_memory(struct __sk_buff *skb)
{
	struct bpf_dynptr d;

	bpf_dynptr_from_skb(skb, 0, &d);
	return *(volatile __u64 *)&d;
}

static __attribute__((noinline)) int passed_down(const struct bpf_dynptr *d)
{
	return bpf_dynptr_size(d);
}

SEC("tc")
int in_subprogram(struct __sk_buff *skb)
{
	struct bpf_dynptr d;

	bpf_dynptr_from_skb(skb, 0, &d);
	return passed_down(&d);
}

SEC("kprobe/do_nanosleep")
int skb_of_kprobe(void *ctx)
{
	struct bpf_dynptr d;

	bpf_dynptr_from_skb(ctx, 0, &d);
	return 0;
}
