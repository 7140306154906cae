/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf.h"

typedef struct {
	unsigned a : 3;
	int b : 13;
	long long c : 40;
} __attribute__((packed)) bits_t;

union any {
	__u64 word;
	struct {
		__u32 lo, hi;
	};
	void *ptr;
	char text[8];
};

enum color { RED, GREEN = 5, BLUE = -1 };
enum big { HUGE_VALUE = 0x1234567890ULL };

struct node {
	struct node *next;
	union any any;
	enum color color;
	enum big big;
	bits_t bits;
	int (*fn)(struct node *, const char *, ...);
	volatile const char *restrict name;
	_Bool ok;
	double real;
	__u8 grid[2][3];
	struct {
		int x;
		struct {
			int y;
		} deep;
	} in;
	int tail[];
} __attribute__((aligned(16)));

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 2);
	__type(key, union any);
	__type(value, struct node);
} types SEC(".maps");

SEC("xdp")
int btf_zoo(struct xdp_md *ctx)
{
	union any k = { .word = 1 };
	struct node *n = bpf_map_lookup_elem(&types, &k);

	return n && n->color == GREEN ? XDP_DROP : XDP_PASS;
}
