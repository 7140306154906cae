/*
 * Runs machine code of scripts/arm64-oracle/runs.ts on a real or emulated arm64 processor.
 *
 *   aarch64-linux-gnu-gcc -O1 -static -o run scripts/arm64-oracle/run.c
 *   qemu-aarch64 ./run <questions
 *
 * Input, a line each: "map ADDRESS HEX" puts bytes somewhere, "go ENTRY ARGUMENT ADDRESS
 * SIZE" calls and prints the result and so many bytes of memory, in hexadecimal. Memory is that of the last "map".
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE 4096ull

static unsigned char *place(uint64_t address, uint64_t size)
{
	uint64_t first = address & ~(PAGE - 1), end = (address + size + PAGE - 1) & ~(PAGE - 1);
	void *at = mmap((void *)first, end - first, PROT_READ | PROT_WRITE | PROT_EXEC,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	if (at == MAP_FAILED)
		exit(1);
	return (unsigned char *)address;
}

int main(void)
{
	static char line[1 << 20];
	char hex[1 << 19];
	uint64_t a, b, c, d;

	while (fgets(line, sizeof(line), stdin)) {
		if (sscanf(line, "map %lx %s", &a, hex) == 2) {
			size_t size = strlen(hex) / 2;
			unsigned char *at = place(a, size);

			for (size_t i = 0; i < size; i++) {
				unsigned byte;
				sscanf(hex + 2 * i, "%2x", &byte);
				at[i] = byte;
			}
			__builtin___clear_cache((char *)at, (char *)at + size);
		} else if (sscanf(line, "go %lx %lx %lx %lu", &a, &b, &c, &d) == 4) {
			uint64_t result = ((uint64_t(*)(uint64_t))a)(b);

			printf("%lx ", result);
			for (uint64_t i = 0; i < d; i++)
				printf("%02x", ((unsigned char *)c)[i]);
			printf("\n");
		}
	}
	return 0;
}
