#!/bin/sh
# Compiles the sources here and captures what bpftool says of them. Needs clang, llvm-strip, pahole and bpftool 7.8;
# their names may be given in CLANG, LLVM_STRIP, PAHOLE and BPFTOOL.
set -e
cd "$(dirname "$0")"
: "${CLANG:=clang}" "${LLVM_STRIP:=llvm-strip}" "${PAHOLE:=pahole}" "${BPFTOOL:=bpftool}"

capture() { # NAME FILE [OPTIONS]
  name=$1
  file=$2
  shift 2
  $BPFTOOL "$@" btf dump file "$file" >"$name.raw.txt"
  $BPFTOOL "$@" -j btf dump file "$file" >"$name.raw.json"
  $BPFTOOL "$@" btf dump file "$file" format c >"$name.h.txt"
  $BPFTOOL "$@" btf dump file "$file" format c unsorted >"$name.unsorted.h.txt"
}

for name in layouts pointers names; do
  $CLANG -O2 -g -target bpf -c "$name.c" -o "$name.o"
  $LLVM_STRIP -g "$name.o"
  capture "$name" "$name.o"
done

# The types of one program on top of those of another.
$CLANG -O0 -g base.c -o base.tmp
$CLANG -O0 -g split.c -o split.tmp
$PAHOLE --btf_encode_detached=base.btf base.tmp
$PAHOLE --btf_base=base.btf --btf_encode_detached=split.btf split.tmp
rm -f base.tmp split.tmp
capture split split.btf -B base.btf

# Types that no compiler makes, from a generator.
for file in odd-*.btf; do
  capture "${file%.btf}" "$file"
done

# Values of global data, printed through BTF by a kernel that holds them. Needs root and -I for bpf_helpers.h in CFLAGS.
if [ "$(id -u)" = 0 ] && [ -d /sys/fs/bpf ]; then
  pins=/sys/fs/bpf/bpftool-ts-capture
  $CLANG -O2 -g -target bpf $CFLAGS -c values.c -o values.o
  $LLVM_STRIP -g values.o
  $BPFTOOL prog loadall values.o $pins pinmaps $pins
  $BPFTOOL map dump pinned $pins/values_data >values.data.txt
  $BPFTOOL -j map dump pinned $pins/values_data >values.data.json
  $BPFTOOL -j btf dump map pinned $pins/values_data all >values.raw.json
  $BPFTOOL prog dump xlated pinned $pins/prog | grep '):$' >values.prototypes.txt
  rm -r $pins
fi
