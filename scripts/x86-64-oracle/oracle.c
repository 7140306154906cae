/*
 * Answers questions about x86-64 machine code with the kernel's own emitter.
 *
 * A question is numbers separated by blanks: the fields of struct settings, is the loader privileged, is every constant
 * to be blinded (with what key); number of functions; then for each function: is no main function, stack depth, tail call
 * reachable, exception callback, exception boundary, private stack, was classic, address, per-CPU pointer, number of
 * instructions, instructions in hexadecimal.
 *
 * The answer is "BAD", or for each function "F", greatest size, address, bytes, "O" and offsets, "X" and the exception
 * table (offset:fixup:data), and "END". Blinded code comes as the instructions themselves: "B" and hexadecimal.
 */
#include "emitter.c"
#include "blinding.c"
#include "questions.h"

struct settings set;
int g_admin, bpf_jit_enable = 1;
struct bpf_prog *g_current;
static u32 key;

static const unsigned char nops[] = { BYTES_NOP1, BYTES_NOP2, BYTES_NOP3, BYTES_NOP4, BYTES_NOP5, BYTES_NOP6, BYTES_NOP7,
				      BYTES_NOP8, BYTES_NOP9, BYTES_NOP10, BYTES_NOP11 };
const unsigned char *const x86_nops[] = { NULL, nops, nops + 1, nops + 3, nops + 6, nops + 10, nops + 15, nops + 21,
					  nops + 28, nops + 36, nops + 45, nops + 55 };

u32 get_random_u32(void)
{
	return key;
}

static void read_function(struct bpf_prog *prog, int index)
{
	struct bpf_prog_aux *aux = prog->aux;

	prog->jit_requested = 1;
	aux->func_idx = number() ? (index ? index : 1) : 0;
	aux->stack_depth = number();
	aux->tail_call_reachable = number();
	read_rest(prog);
}

/* Addresses of functions: placeholders at first, then what became of them. rule: jit_subprogs */
static void link_functions(struct bpf_prog *all, struct bpf_prog *prog, bool placed)
{
	for (u32 i = 0; i < prog->len; i++) {
		struct bpf_insn *x = &prog->insnsi[i];

		if (x->code == 0x85 && x->src_reg == BPF_PSEUDO_CALL) {
			x->imm = placed ? (u64)all[x->off].bpf_func - set.call_base : 1;
		} else if (x->code == 0x18) {
			u64 address = placed ? (u64)all[x->off].bpf_func : 0xffffffffc0000000;

			if (x->src_reg == BPF_PSEUDO_FUNC) {
				x->imm = address;
				x[1].imm = address >> 32;
			}
			i++;
		}
	}
}

static int compile(struct bpf_prog *prog)
{
	g_current = prog;
	prog->jited = 0;
	bpf_int_jit_compile(prog);
	return !prog->jited;
}

static void print_function(struct bpf_prog *prog)
{
	printf("F %u %llu ", prog->image_size, (unsigned long long)(u64)prog->bpf_func);
	for (u32 i = 0; i < prog->jited_len; i++)
		printf("%02x", prog->image[i]);
	printf(" O");
	for (u32 i = 0; i <= prog->len; i++) {
		/* The second half of a 64-bit constant has no code and keeps the first guess. */
		bool half = i && i < prog->len && prog->insnsi[i - 1].code == 0x18 && prog->insnsi[i].code == 0;

		printf(" %d", prog->offsets[half ? i - 1 : i]);
	}
	printf(" X");
	for (u32 i = 0; i < prog->aux->num_exentries; i++) {
		struct exception_table_entry *shown = &prog->aux->extable[i];
		struct exception_table_entry *entry = (void *)shown - prog->address + (u64)prog->image;

		printf(" %lld:%u:%u", (long long)((u64)&shown->insn + entry->insn - prog->address), entry->fixup, entry->data);
	}
	printf("\n");
}

/* Instruction by instruction, as bpf_jit_blind_constants goes through them. */
static void print_blinded(struct bpf_prog *prog)
{
	struct bpf_insn aux[2], out[16];

	printf("B ");
	for (u32 i = 0; i < prog->len; i++) {
		struct bpf_insn *x = &prog->insnsi[i];

		if (x[0].code == (BPF_LD | BPF_IMM | BPF_DW) && x[1].code == 0)
			memcpy(aux, x, sizeof(aux));

		int count = bpf_jit_blind_insn(x, aux, out, prog->aux->verifier_zext);

		if (!count)
			memcpy(out, x, 8), count = 1;
		for (int b = 0; b < count * 8; b++)
			printf("%02x", ((u8 *)out)[b]);
	}
	printf("\n");
}

int main(void)
{
	u64 *fields = (u64 *)&set;

	for (;;) {
		int bad = 0, blind;

		for (size_t i = 0; i < sizeof(set) / 8; i++)
			fields[i] = number();
		g_admin = number();
		blind = number();
		key = number();

		int count = number();
		struct bpf_prog *all = calloc(count, sizeof(*all));

		for (int f = 0; f < count; f++) {
			all[f].aux = calloc(1, sizeof(*all[f].aux));
			all[f].is_func = count > 1;
			read_function(&all[f], f);
			if (blind)
				print_blinded(&all[f]);
		}
		for (int f = 0; count > 1 && f < count; f++)
			link_functions(all, &all[f], false);
		for (int f = 0; !blind && f < count; f++)
			bad |= compile(&all[f]);
		for (int f = 0; !blind && count > 1 && !bad && f < count; f++) {
			link_functions(all, &all[f], true);
			bad |= compile(&all[f]);
		}
		for (int f = 0; !blind && !bad && f < count; f++)
			print_function(&all[f]);
		printf(bad ? "BAD\n" : "END\n");
		fflush(stdout);
	}
}
