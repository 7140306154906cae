#!/bin/sh
# Builds the oracle: the arm64 emitter of a kernel source tree as a program of user space.
# usage: build.sh LINUX-TREE OUTPUT      (6.18; needs cc)
set -eu
tree=$1
output=$2
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

mkdir -p "$work/include/linux" "$work/include/asm"
cp "$tree/arch/arm64/include/asm/insn.h" "$tree/arch/arm64/include/asm/insn-def.h" "$work/include/asm"
cp "$tree/arch/arm64/net/bpf_jit.h" "$tree/arch/arm64/lib/insn.c" "$work"
# Without the code that patches running kernels, and without trampolines.
sed -e '/^asm ($/,/^);$/d' -e '/bpf_arch_text_copy(void/,$d' "$tree/arch/arm64/net/bpf_jit_comp.c" >"$work/emitter.c"

for name in arm-smccc bitfield bitops bpf bug build_bug cfi filter memory printk sizes slab types; do
	echo '#include "kernel.h"' >"$work/include/linux/$name.h"
done
for name in asm-extable brk-imm byteorder cpufeature debug-monitors kprobes set_memory text-patching; do
	echo '#include "kernel.h"' >"$work/include/asm/$name.h"
done
cc -O1 -w -I "$here" -I "$here/../emitter-oracle" -I "$work/include" -I "$work" -o "$output" "$here/oracle.c"
