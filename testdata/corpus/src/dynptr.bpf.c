/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 8192);
} rb SEC(".maps");

SEC("tc")
int dynptr_ringbuf(struct __sk_buff *skb)
{
	struct bpf_dynptr d;
	__u64 v = skb->len, *p;

	if (bpf_ringbuf_reserve_dynptr(&rb, 64, 0, &d) == 0) {
		bpf_dynptr_write(&d, 0, &v, sizeof(v), 0);
		p = bpf_dynptr_data(&d, 8, sizeof(*p));
		if (p)
			*p = 5;
	}
	bpf_ringbuf_submit_dynptr(&d, 0);
	return 0;
}
