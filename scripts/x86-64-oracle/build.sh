#!/bin/sh
# Builds the oracle: the x86-64 emitter of a kernel source tree as a program of user space.
# usage: build.sh LINUX-TREE OUTPUT      (6.18; needs cc)
set -eu
tree=$1
output=$2
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

mkdir -p "$work/include/linux" "$work/include/asm"
cp "$tree/arch/x86/include/asm/nops.h" "$work/include/asm"
# Without the code that patches running kernels, and without trampolines and dispatchers.
sed -e '/^#ifdef CONFIG_X86_KERNEL_IBT/,/^#endif/d' -e '/^bool ex_handler_bpf/,/^}/d' -e '/^int bpf_arch_text_invalidate/,/^}/d' \
	-e '/^static int __bpf_arch_text_poke/,/^}/d' -e '/^int bpf_arch_text_poke/,/^}/d' \
	-e '/^static void bpf_tail_call_direct_fixup/,/^}/d' -e '/^static void clean_stack_garbage/,/^struct x64_jit_data/{/^struct x64_jit_data/!d}' \
	-e '/^bool bpf_jit_supports_kfunc_call/,$d' "$tree/arch/x86/net/bpf_jit_comp.c" >"$work/emitter.c"
# The way a constant is blinded is the same for all machines.
sed -n '/^static int bpf_jit_blind_insn/,/^}/p' "$tree/kernel/bpf/core.c" >"$work/blinding.c"

for name in netdevice filter if_vlan bitfield bpf memory sort; do
	echo '#include "kernel.h"' >"$work/include/linux/$name.h"
done
for name in asm extable ftrace set_memory nospec-branch text-patching unwind cfi; do
	echo '#include "kernel.h"' >"$work/include/asm/$name.h"
done
cc -O1 -w -I "$here" -I "$here/../emitter-oracle" -I "$work/include" -I "$work" -o "$output" "$here/oracle.c"
