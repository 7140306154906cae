/*
 * Text of machine code as the GNU disassembler writes it, for testdata/jit/att.json and testdata/jit/arm64.
 *
 *   cc -o gnu-disassemble scripts/gnu-disassemble.c -lopcodes -lbfd   (binutils 2.39 or later)
 *   echo "ffffffffc0000000 4889e5c3" | ./gnu-disassemble
 *
 * An argument names another architecture ("aarch64"); the libraries have to know it.
 *
 * Input: address and bytes, in hexadecimal, a run of code a line. Output: offset, length and text of each instruction,
 * the pieces of the text separated by the byte 1f; an empty line after each run.
 */
#define PACKAGE "bpftool-ts"
#define PACKAGE_VERSION "1"
#include <bfd.h>
#include <dis-asm.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_CODE (1 << 20)

static char text[4096];
static unsigned long long base;

static int add(const char *format, va_list args)
{
	char piece[512];
	int length = vsnprintf(piece, sizeof(piece), format, args);

	strcat(text, "\x1f");
	strcat(text, piece);
	return length;
}

static int plain(void *stream, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int length = add(format, args);
	va_end(args);
	return length;
}

static int styled(void *stream, enum disassembler_style style, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int length = add(format, args);
	va_end(args);
	return length;
}

static void address(bfd_vma target, struct disassemble_info *info)
{
	generic_print_address(target + base, info);
}

int main(int argc, char **argv)
{
	static char line[2 * MAX_CODE + 64];
	static unsigned char code[MAX_CODE];

	bfd_init();
	const bfd_arch_info_type *other = argc > 1 ? bfd_scan_arch(argv[1]) : NULL;
	bfd *self = argc > 1 ? NULL : bfd_openr("/proc/self/exe", NULL);
	if (argc > 1 ? !other : !self || !bfd_check_format(self, bfd_object))
		return 1;
	while (fgets(line, sizeof(line), stdin)) {
		char *at;
		int length = 0;

		base = strtoull(line, &at, 16);
		while (*at == ' ')
			at++;
		for (unsigned byte; sscanf(at, "%2x", &byte) == 1 && length < MAX_CODE; at += 2)
			code[length++] = byte;

		struct disassemble_info info;
		init_disassemble_info(&info, NULL, plain, styled);
		info.arch = other ? other->arch : bfd_get_arch(self);
		info.mach = other ? other->mach : bfd_get_mach(self);
		info.buffer = code;
		info.buffer_length = length;
		info.print_address_func = address;
		disassemble_init_for_target(&info);
		disassembler_ftype disassemble = disassembler(info.arch, 0, info.mach, self);

		for (int offset = 0, count = 1; count > 0 && offset < length; offset += count) {
			text[0] = '\0';
			count = disassemble(offset, &info);
			printf("%x %d %s\n", offset, count, text + 1);
		}
		printf("\n");
	}
	return 0;
}
