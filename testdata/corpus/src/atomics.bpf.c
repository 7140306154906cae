/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf.h"

__u64 a64;
__u32 a32;

SEC("raw_tracepoint/sys_enter")
int every_atomic(void *ctx)
{
	__u64 x = bpf_ktime_get_ns();
	__u64 r;

	__sync_fetch_and_add(&a64, 1);
	r = __sync_fetch_and_add(&a64, x);
	r += __sync_fetch_and_or(&a64, 3);
	r += __sync_fetch_and_and(&a64, 7);
	r += __sync_fetch_and_xor(&a64, r);
	r += __sync_lock_test_and_set(&a64, x);
	r += __sync_val_compare_and_swap(&a64, x, 5);
	r += __sync_fetch_and_add(&a32, 2);
	r += __sync_val_compare_and_swap(&a32, 2, 9);
	r += __sync_lock_test_and_set(&a32, 4);
	return r != 0;
}

SEC("raw_tracepoint/sys_exit")
int acquire_release(void *ctx)
{
	__u64 v = __atomic_load_n(&a64, __ATOMIC_ACQUIRE);
	__u32 w = __atomic_load_n(&a32, __ATOMIC_ACQUIRE);

	__atomic_store_n(&a32, w + 1, __ATOMIC_RELEASE);
	__atomic_store_n(&a64, v + 1, __ATOMIC_RELEASE);
	return 0;
}
