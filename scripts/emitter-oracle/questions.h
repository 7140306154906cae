/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How the oracles of all machines read a question: numbers separated by blanks, and instructions in hexadecimal. Comes
 * behind the kernel.h of the machine.
 */
#ifndef QUESTIONS_H
#define QUESTIONS_H

/* The next number of a question; the program ends where there is none. */
static u64 number(void)
{
	char text[64];

	if (scanf("%63s", text) != 1)
		exit(0);
	return strtoull(text, NULL, 0);
}

static int may_fault(const struct bpf_insn *x)
{
	int mode = x->code & 0xe0;

	switch (x->code & 7) {
	case BPF_LDX:
		return mode == BPF_PROBE_MEM || mode == BPF_PROBE_MEMSX || mode == BPF_PROBE_MEM32 || mode == BPF_PROBE_MEM32SX;
	case BPF_ST:
		return mode == BPF_PROBE_MEM32;
	case BPF_STX:
		return mode == BPF_PROBE_MEM32 || mode == BPF_PROBE_ATOMIC;
	}
	return 0;
}

/* What follows the depth of the stack and what only one machine asks for: traits, addresses, instructions. */
static void read_rest(struct bpf_prog *prog)
{
	struct bpf_prog_aux *aux = prog->aux;

	aux->exception_cb = number();
	aux->exception_boundary = number();
	aux->jits_use_priv_stack = number();
	prog->was_classic = number();
	prog->address = number();
	prog->private_stack = number();
	prog->len = number();
	prog->insnsi = calloc(prog->len + 1, 8);

	char *hex = malloc(prog->len * 16 + 2);

	if (scanf("%s", hex) != 1)
		exit(1);
	for (u32 i = 0; i < prog->len * 8; i++) {
		unsigned byte;

		sscanf(hex + 2 * i, "%2x", &byte);
		((u8 *)prog->insnsi)[i] = byte;
	}
	free(hex);
	for (u32 i = 0; i < prog->len; i++) {
		aux->num_exentries += may_fault(&prog->insnsi[i]);
		if (prog->insnsi[i].code == 0x18)
			i++;
	}
}

#endif
