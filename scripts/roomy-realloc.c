/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A realloc for LD_PRELOAD that leaves so much room that blocks hardly ever move. libbpf 1.8 goes on using a pointer
 * into the stack of declarators after that has been reallocated, so that `btf dump ... format c` of deeply nested types
 * crashes or prints remains of other declarations; with room it prints what it means to.
 *
 *   cc -shared -fPIC -o roomy-realloc.so roomy-realloc.c
 *   LD_PRELOAD=$PWD/roomy-realloc.so bpftool btf dump file ... format c
 */
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM = 1 << 16 };

void *realloc(void *old, size_t bytes)
{
	size_t have = old ? malloc_usable_size(old) : 0;
	void *block;

	if (old && bytes && bytes <= have)
		return old;
	if (old && !bytes) {
		free(old);
		return NULL;
	}
	block = malloc(bytes < ROOM ? ROOM : bytes * 2);
	if (block && old) {
		memcpy(block, old, have < bytes ? have : bytes);
		free(old);
	}
	return block;
}
