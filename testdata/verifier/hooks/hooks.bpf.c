/* SPDX-License-Identifier: BSD-2-Clause */
/* Hooks into kernel functions and security hooks. hooks.test.ts says what becomes of each. */
#include "kfuncs.h"


struct file;
struct linux_binprm;

SEC("fentry/do_nanosleep")
int entry_reads_arguments(unsigned long long *ctx)
{
	return 0;
}

SEC("fentry/do_nanosleep")
int entry_beyond_arguments(unsigned long long *ctx)
{
	return ctx[11] != 0;
}

SEC("fentry/do_nanosleep")
int entry_misaligned(char *ctx)
{
	return *(volatile char *)(ctx + 1);
}

SEC("fexit/do_nanosleep")
int exit_reads_result(unsigned long long *ctx)
{
	return ctx[2] != 0 ? 0 : 0;
}

SEC("fentry/do_nanosleep")
int entry_returns_one(unsigned long long *ctx)
{
	return 1;
}

SEC("fentry/bpf_rcu_read_lock_is_no_function")
int entry_of_nothing(unsigned long long *ctx)
{
	return 0;
}

SEC("lsm/file_open")
int lsm_allows(unsigned long long *ctx)
{
	return 0;
}

SEC("lsm/file_open")
int lsm_returns_seven(unsigned long long *ctx)
{
	return 7;
}

SEC("lsm.s/bprm_committed_creds")
int lsm_sleepable(unsigned long long *ctx)
{
	char b[8];

	bpf_copy_from_user(b, sizeof(b), (void *)1);
	return 0;
}

SEC("lsm.s/task_kill")
int lsm_not_sleepable(unsigned long long *ctx)
{
	return 0;
}

SEC("fmod_ret/do_nanosleep")
int modifies_no_error_point(unsigned long long *ctx)
{
	return 0;
}

SEC("fentry.s/do_nanosleep")
int entry_not_sleepable(unsigned long long *ctx)
{
	return 0;
}

SEC("iter/task")
int iterates_tasks(unsigned long long *ctx)
{
	return 0;
}

SEC("iter/task")
int iterator_returns_two(unsigned long long *ctx)
{
	return 2;
}
