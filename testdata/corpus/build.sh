#!/bin/sh
# Compiles the sources of the corpus that have no object yet, or those named. Objects are kept because compilers
# differ: their bytes are what was captured.
#   LIBBPF=/path/to/libbpf-prefix [CLANG=clang-19] testdata/corpus/build.sh [NAME…]
set -e
cd "$(dirname "$0")/src"
names=${*:-$(for f in *.bpf.c; do n=${f%.bpf.c}; [ -e "../obj/$n.bpf.o" ] || echo "$n"; done)}
for name in $names; do
	options=$(sed -n 's|^// options: ||p' "$name.bpf.c")
	# shellcheck disable=SC2086
	"${CLANG:-clang-19}" -g -O2 -target bpf -mcpu=v3 -Wall -Wno-visibility -Wno-unused -Wno-compare-distinct-pointer-types \
		-fdebug-compilation-dir=/corpus "-ffile-prefix-map=$PWD=/corpus" "-ffile-prefix-map=$LIBBPF=/libbpf" "-ffile-prefix-map=${UAPI:-/usr/include}=/uapi" \
		-I"$LIBBPF/include" -I"${UAPI:-/usr/include}" -I"/usr/include/$(uname -m)-linux-gnu" $options -c "$name.bpf.c" -o "../obj/$name.bpf.o"
done
