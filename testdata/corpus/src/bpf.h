/* SPDX-License-Identifier: BSD-2-Clause */
/* What the programs of this corpus share. */
#pragma once
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define NAKED __attribute__((naked))
#define RELO __attribute__((preserve_access_index))

char LICENSE[] SEC("license") = "Dual BSD/GPL";
