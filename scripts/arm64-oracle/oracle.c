/*
 * Answers questions about arm64 machine code with the kernel's own emitter.
 *
 * A question is words separated by blanks: BTI PAC CFI LSE VHE SB clearbhb, turns of the history loop, firmware (0 none, 1
 * hvc, 2 smc), history to be cleared, __bpf_call_base, arch_bpf_timed_may_goto, arena for the kernel and for user space,
 * number of functions; then for each function: is no main function, stack depth, exception callback, exception boundary,
 * private stack, was classic, address, per-CPU pointer, number of instructions, instructions in hexadecimal.
 *
 * The answer is "BAD", or for each function "F", greatest size, address, words, "O" and offsets, "X" and the exception
 * table (offset:fixup:type), and "END".
 */
#include "insn.c"
#include "emitter.c"
#include "questions.h"

int g_bti, g_pac, g_cfi, g_lse, g_vhe, g_sb, g_bhb_clear, g_bhb_k, g_bhb_fw, g_mitigate, bpf_jit_enable = 1;
u64 g_call_base, g_timed, g_arena_kern, g_arena_user;
struct bpf_prog *g_current;

void dummy_tramp(void)
{
}

static void read_settings(void)
{
	int *flags[] = { &g_bti, &g_pac, &g_cfi, &g_lse, &g_vhe, &g_sb, &g_bhb_clear, &g_bhb_k, &g_bhb_fw, &g_mitigate };
	u64 *places[] = { &g_call_base, &g_timed, &g_arena_kern, &g_arena_user };

	for (int i = 0; i < 10; i++)
		*flags[i] = number();
	for (int i = 0; i < 4; i++)
		*places[i] = number();
}

static void read_function(struct bpf_prog *prog, int index)
{
	struct bpf_prog_aux *aux = prog->aux;

	prog->jit_requested = 1;
	aux->func_idx = number() ? (index ? index : 1) : 0;
	aux->stack_depth = number();
	read_rest(prog);
}

/* Once more, now that all functions have addresses. */
static void compile_again(struct bpf_prog *all, struct bpf_prog *prog)
{
	for (u32 i = 0; i < prog->len; i++) {
		struct bpf_insn *x = &prog->insnsi[i];

		if (x->code != 0x18)
			continue;
		if (x->src_reg == BPF_PSEUDO_FUNC) {
			u64 address = (u64)all[x->off].bpf_func;

			x->imm = address;
			x[1].imm = address >> 32;
		}
		i++;
	}
	g_current = prog;
	prog->jited = 0;
	bpf_int_jit_compile(prog);
}

static void print_function(struct bpf_prog *prog)
{
	printf("F %u %llu ", prog->image_size, (unsigned long long)(u64)prog->bpf_func);
	for (u32 i = 0; i < prog->jited_len; i += 4)
		printf("%08x", *(u32 *)(prog->image + i + cfi_get_offset()));
	printf(" O");
	for (u32 i = 0; i <= prog->len; i++)
		printf(" %d", prog->offsets[i]);
	printf(" X");
	for (u32 i = 0; i < prog->aux->num_exentries; i++) {
		struct exception_table_entry *shown = &prog->aux->extable[i];
		struct exception_table_entry *entry = (void *)shown - prog->address + (u64)prog->image;

		printf(" %lld:%u:%d", (long long)((u64)&shown->insn + entry->insn - prog->address), entry->fixup, entry->type);
	}
	printf("\n");
}

int main(void)
{
	for (;;) {
		int bad = 0;

		read_settings();

		int count = number();
		struct bpf_prog *all = calloc(count, sizeof(*all)), **list = calloc(count, sizeof(*list));

		for (int f = 0; f < count; f++) {
			list[f] = &all[f];
			all[f].aux = calloc(1, sizeof(*all[f].aux));
			all[f].aux->func = list;
			all[f].aux->func_cnt = all[f].aux->real_func_cnt = count;
			all[f].is_func = count > 1;
			read_function(&all[f], f);
		}
		for (int f = 0; f < count; f++) {
			g_current = &all[f];
			bpf_int_jit_compile(&all[f]);
			bad |= !all[f].jited;
		}
		for (int f = 0; count > 1 && !bad && f < count; f++) {
			compile_again(all, &all[f]);
			bad |= !all[f].jited;
		}
		for (int f = 0; !bad && f < count; f++)
			print_function(&all[f]);
		printf(bad ? "BAD\n" : "END\n");
		fflush(stdout);
	}
}
