/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf.h"

struct settings {
	__u32 limit;
	struct {
		__u16 low;
		__u16 high;
	} range;
	char label[12];
};

const volatile struct settings settings = { .limit = 10, .range = { 1, 2 }, .label = "demo" };
const volatile __u64 mask = 0xff;
__u64 total;
__u32 hits = 5;
static volatile int hidden;

SEC("tracepoint/raw_syscalls/sys_enter")
int uses_globals(void *ctx)
{
	__u64 id = bpf_get_current_pid_tgid();

	if ((id & mask) > settings.limit)
		return 0;
	total += id;
	hits++;
	hidden = settings.range.high;
	bpf_printk("%s %d", "hit", hits);
	return hidden;
}
