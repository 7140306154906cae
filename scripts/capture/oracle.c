/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loads one program of an object through libbpf and says what the running kernel answered.
 *
 *   oracle OBJECT PROGRAM LOG_LEVEL LOG_FILE [PIN_PATH]
 *
 * Only PROGRAM is loaded. Prints the error number (0: accepted); the verifier log goes to LOG_FILE. An accepted
 * program is pinned at PIN_PATH. With PROGRAM "?" it lists the object's programs: name, section.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#define LOG_BYTES (16 << 20)

static int silent(enum libbpf_print_level level, const char *format, va_list args)
{
	return 0;
}

int main(int argc, char **argv)
{
	struct bpf_object *object;
	struct bpf_program *p, *wanted = NULL;
	char *log;
	FILE *out;
	int err;

	if (argc < 3)
		return 2;
	libbpf_set_print(silent);
	object = bpf_object__open_file(argv[1], NULL);
	if (!object) {
		fprintf(stderr, "cannot open %s\n", argv[1]);
		return 1;
	}
	if (!strcmp(argv[2], "?")) {
		bpf_object__for_each_program(p, object)
			printf("%s %s\n", bpf_program__name(p), bpf_program__section_name(p));
		return 0;
	}
	if (argc < 5)
		return 2;
	log = calloc(1, LOG_BYTES);
	bpf_object__for_each_program(p, object) {
		int is = !strcmp(bpf_program__name(p), argv[2]);

		bpf_program__set_autoload(p, is);
		if (is)
			wanted = p;
	}
	if (!wanted || !log)
		return 1;
	bpf_program__set_log_level(wanted, atoi(argv[3]));
	bpf_program__set_log_buf(wanted, log, LOG_BYTES);
	err = bpf_object__load(object);
	out = fopen(argv[4], "w");
	if (!out)
		return 1;
	fputs(log, out);
	fclose(out);
	if (!err && argc > 5 && bpf_program__pin(wanted, argv[5])) {
		fprintf(stderr, "cannot pin at %s\n", argv[5]);
		return 1;
	}
	printf("%d\n", -err);
	return 0;
}
