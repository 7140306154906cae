#!/bin/sh
# Makes files that hold BTF in every way there is (both byte orders, 32-bit and 64-bit ELF, compressed sections, a
# distilled base, files that are broken or something else), and captures what bpftool 7.8 says of each: answers.json.
# Needs clang with all targets, llvm-objcopy, llvm-strip, pahole, bpftool 7.8, and in LIBBPF the prefix of a built libbpf 1.8.
set -e
cd "$(dirname "$0")"
: "${CLANG:=clang}" "${OBJCOPY:=llvm-objcopy}" "${STRIP:=llvm-strip}" "${PAHOLE:=pahole}" "${LIBBPF:?}"
map="-fdebug-compilation-dir=/types -ffile-prefix-map=$PWD=/types"

for order in bpf bpfeb; do
  for name in types program; do
    $CLANG -g -O2 -w -target $order $map -c $name.c -o $name-$order.o
    $STRIP -g $name-$order.o
  done
  $OBJCOPY --dump-section .BTF=types-$order.btf types-$order.o /dev/null
done
for method in zlib zstd; do
  $OBJCOPY --compress-sections=.BTF=$method types-bpf.o types-$method.o
  $OBJCOPY --compress-sections=.BTF=$method types-bpfeb.o types-eb-$method.o
  $OBJCOPY --compress-sections=.BTF.ext=$method program-bpf.o program-ext-$method.o
done
for target in i386 powerpc; do
  $CLANG -w -target $target-linux-gnu -c plain.c -o plain.tmp
  $STRIP -g plain.tmp
  for order in bpf bpfeb; do
    $OBJCOPY --add-section .BTF=types-$order.btf plain.tmp plain-$target-$order.o
  done
done
$CLANG -w -target x86_64-linux-gnu -c plain.c -o plain.o
$STRIP -g plain.o
$OBJCOPY --add-section .BTF=types-bpf.btf --set-section-type .BTF=7 plain.o plain-note.o

# The types of one program on top of those of another, and what libbpf makes of its base.
for name in base module; do
  $CLANG -g -O0 -target x86_64-linux-gnu -c $name.c -o $name.tmp
  $PAHOLE --btf_gen_all --btf_encode_detached=$name.btf $name.tmp
done
${CC:-cc} "-I$LIBBPF/include" distill.c -o distill.tmp "$LIBBPF/libbpf.a" -lelf -lz
./distill.tmp base.btf module.btf distilled-base.btf distilled-split.btf
$OBJCOPY --add-section .BTF=distilled-split.btf --add-section .BTF.base=distilled-base.btf plain.o module.ko
# Another base, on which ids and offsets are different; one with a struct of another size; one with a struct missing.
(echo 'struct first { char z; } first; long second;' && cat base.c) >other.tmp.c
sed 's/int a; long b;/int a; int c[5]; long b;/' base.c >larger.tmp.c
sed 's/struct fl /struct lf /g' base.c >missing.tmp.c
for name in other larger missing; do
  $CLANG -g -O0 -target x86_64-linux-gnu -c $name.tmp.c -o $name.tmp
  $PAHOLE --btf_gen_all --btf_encode_detached=$name.btf $name.tmp
done

# Broken, cut off, or something else.
: >empty
printf 'a' >one
printf '\177ELF' >short
head -c 60 types-bpf.o >cut-header
head -c 64 types-bpf.o >cut-sections
head -c 300 types-bpf.o >cut-contents
head -c 30 types-bpf.btf >cut-types.btf
head -c 12 types-bpf.btf >cut-header.btf
echo hello >text
printf '!<arch>\n' >archive
$CLANG -w -target x86_64-linux-gnu -nostdlib -Wl,-e,main -fuse-ld=lld plain.c -o linked.tmp 2>/dev/null || cp plain.o linked.tmp
$OBJCOPY --strip-sections linked.tmp no-sections
rm -f ./*.tmp ./*.tmp.c
# The files damaged-* stay as they are: mutated files (scripts/fuzz-objects.ts) of which something else was said once.
node ../../scripts/capture-files.ts
