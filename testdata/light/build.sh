#!/bin/sh
# Compiles the objects beside this file. They are kept because compilers differ: their bytes are what was captured.
#   LIBBPF=/path/to/libbpf-prefix [CLANG=clang-19] testdata/light/build.sh
set -e
cd "$(dirname "$0")"
for source in *.bpf.c; do
	"${CLANG:-clang-19}" -g -O2 -target bpf -mcpu=v3 -Wall -Wno-incompatible-library-redeclaration \
		-fdebug-compilation-dir=/light "-ffile-prefix-map=$PWD=/light" "-ffile-prefix-map=$LIBBPF=/libbpf" "-ffile-prefix-map=${UAPI:-/usr/include}=/uapi" \
		-I"$LIBBPF/include" -I"${UAPI:-/usr/include}" -I"/usr/include/$(uname -m)-linux-gnu" -c "$source" -o "${source%.c}.o"
done
