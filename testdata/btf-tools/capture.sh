#!/bin/sh
# Compiles the sources here, except core.bpf.c, which needs libbpf's headers and a vmlinux.h of Linux 6.18, and captures
# what bpftool 7.8 and pahole say of them. The texts of diff, layout and needed are our own: `bpftool-ts btf diff` …
# VMLINUX is the BTF of Linux 6.18 in data/, unpacked.
set -e
cd "$(dirname "$0")"
: "${CLANG:=clang}" "${LLVM_STRIP:=llvm-strip}" "${PAHOLE:=pahole}" "${BPFTOOL:=bpftool}" "${VMLINUX:?}"

compile() { # NAME OPTIONS
  name=$1
  shift
  $CLANG -w -g "$@" -target bpf -c "$name.c" -o "$name.o"
  $LLVM_STRIP -g "$name.o"
}

compile ops.bpf -O2
$BPFTOOL gen skeleton ops.bpf.o >ops.skel.h.txt
$BPFTOOL gen subskeleton ops.bpf.o >ops.subskel.h.txt

obj=../corpus/obj
$BPFTOOL gen min_core_btf "$VMLINUX" core.min.btf core.bpf.o
$BPFTOOL gen min_core_btf "$VMLINUX" together.min.btf $obj/core_kinds.bpf.o core.bpf.o $obj/core_field.bpf.o
$PAHOLE -C list_head,inode,sk_buff,task_struct,tcp_sock,page,bpf_insn,iphdr -F btf "$VMLINUX" >pahole.txt

compile before -O0
compile after -O0
# Written by scripts/random-types.ts.
for source in random-*.c; do
  name=${source%.c}
  compile "$name" -O0
  $BPFTOOL btf dump file "$name.o" format c >"$name.h.txt"
  $BPFTOOL btf dump file "$name.o" >"$name.raw.txt"
done

# SHA-256 of the headers of the corpus.
{
  printf '{'
  separator=
  for object in $obj/*.o; do
    skeleton=$(cd $obj && $BPFTOOL gen skeleton "${object##*/}" | sha256sum | cut -d' ' -f1)
    subskeleton=$(cd $obj && $BPFTOOL gen subskeleton "${object##*/}" | sha256sum | cut -d' ' -f1)
    printf '%s\n "%s": {\n  "skeleton": "%s",\n  "subskeleton": "%s"\n }' "$separator" "${object##*/}" "$skeleton" "$subskeleton"
    separator=,
  done
  printf '\n}\n'
} >skeletons.json
