/* SPDX-License-Identifier: BSD-2-Clause */
/* Contexts of tracing programs. */
#include "bpf.h"
#include <linux/bpf_perf_event.h>

#define READ(x) (void)*(volatile typeof(x) *)&(x)

SEC("perf_event")
int perf_event_reads(struct bpf_perf_event_data *ctx)
{
	READ(ctx->sample_period);
	READ(ctx->addr);
	READ(*(__u32 *)&ctx->sample_period);
	return 0;
}

SEC("perf_event")
int perf_event_written(struct bpf_perf_event_data *ctx)
{
	ctx->addr = 1;
	return 0;
}

SEC("perf_event")
int perf_event_beyond(struct bpf_perf_event_data *ctx)
{
	return *(volatile __u64 *)(ctx + 1);
}

SEC("perf_event")
int perf_event_value(struct bpf_perf_event_data *ctx)
{
	struct bpf_perf_event_value v;

	bpf_perf_prog_read_value(ctx, &v, sizeof(v));
	return v.counter & 1;
}

SEC("tracepoint/syscalls/sys_enter_openat")
int tracepoint(__u64 *ctx)
{
	return ctx[1] + ctx[2] + *(volatile __u8 *)&ctx[3];
}

SEC("tracepoint/syscalls/sys_enter_openat")
int tracepoint_beyond(__u64 *ctx)
{
	return ctx[1024];
}

SEC("tracepoint/syscalls/sys_enter_openat")
int tracepoint_written(__u64 *ctx)
{
	ctx[2] = 1;
	return 0;
}

SEC("tracepoint/syscalls/sys_enter_openat")
int tracepoint_negative(char *ctx)
{
	return *(volatile char *)(ctx - 1);
}

SEC("tracepoint/syscalls/sys_enter_openat")
int tracepoint_misaligned(char *ctx)
{
	return *(volatile __u32 *)(ctx + 9);
}

SEC("kprobe/do_nanosleep")
int kprobe_narrow(char *ctx)
{
	return *(volatile __u8 *)(ctx + 9) + *(volatile __u16 *)(ctx + 18) + *(volatile __u32 *)(ctx + 28);
}

SEC("kprobe/do_nanosleep")
int kprobe_last_register(__u64 *ctx)
{
	return ctx[20];
}

SEC("kprobe/do_nanosleep")
int kprobe_beyond(__u64 *ctx)
{
	return ctx[21];
}

SEC("kprobe/do_nanosleep")
int kprobe_across(char *ctx)
{
	return *(volatile __u64 *)(ctx + 4);
}

SEC("kretprobe/do_nanosleep")
int kretprobe(__u64 *ctx)
{
	return ctx[10] == 0;
}

SEC("uprobe")
int uprobe_reads(__u64 *ctx)
{
	char buf[16];

	bpf_probe_read_user(buf, sizeof(buf), (void *)ctx[14]);
	return buf[0];
}

SEC("uprobe.s")
int uprobe_sleepable(__u64 *ctx)
{
	char buf[16];

	bpf_copy_from_user(buf, sizeof(buf), (void *)ctx[14]);
	return buf[0];
}

SEC("kprobe/do_nanosleep")
int kprobe_sleeps(__u64 *ctx)
{
	char buf[16];

	bpf_copy_from_user(buf, sizeof(buf), (void *)ctx[14]);
	return buf[0];
}

SEC("raw_tp/sched_switch")
int raw_tp(__u64 *ctx)
{
	return ctx[0] + ctx[11];
}

SEC("raw_tp/sched_switch")
int raw_tp_beyond(__u64 *ctx)
{
	return ctx[12];
}

SEC("raw_tp/sched_switch")
int raw_tp_half(__u32 *ctx)
{
	return *(volatile __u32 *)ctx;
}

SEC("raw_tp.w/nbd_send_request")
int raw_tp_writable(char *ctx)
{
	return 0;
}
