/*
 * What the x86-64 emitter wants of the rest of the kernel: as little as it can do with. Features of the processor,
 * mitigations and addresses are variables, since questions set them.
 */
#ifndef ORACLE_KERNEL_H
#define ORACLE_KERNEL_H
#include <stdint.h>
#include <stddef.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
typedef uint8_t u8; typedef uint16_t u16; typedef uint32_t u32; typedef uint64_t u64;
typedef int8_t s8; typedef int16_t s16; typedef int32_t s32; typedef int64_t s64;
typedef u8 __u8; typedef s16 __s16; typedef s32 __s32; typedef u32 __u32; typedef u64 __u64;
#define __percpu
#define __force
#define __init
#define fallthrough __attribute__((fallthrough))
#define unlikely(x) (x)
#define barrier() do {} while (0)
#define cond_resched() do {} while (0)
#define OPTIMIZER_HIDE_VAR(x) do {} while (0)
#define BIT(n) (1UL << (n))
#define GENMASK(h, l) (((~0UL) << (l)) & (~0UL >> (63 - (h))))
#define FIELD_PREP(m, v) ((((u64)(v)) << __builtin_ctzl(m)) & (m))
#define BUILD_BUG_ON(x) ((void)sizeof(char[1 - 2 * !!(x)]))
#define WARN_ON(x) ({ int __w = !!(x); if (__w) fprintf(stderr, "WARN %s\n", #x); __w; })
#define pr_err(...) do {} while (0)
#define round_up(x, a) ((((x) - 1) | ((typeof(x))(a) - 1)) + 1)
#define roundup(x, a) ((((x) + (a) - 1) / (a)) * (a))
#define __stringify_1(x...) #x
#define __stringify(x...) __stringify_1(x)
#define IS_ERR(p) ((unsigned long)(p) >= (unsigned long)-4095)

struct settings {
	/* no: 0, generic: 1, with lfence: 2 */
	u64 bmi2, retpoline, sls, ibt, ibhf, la57, build_retpoline;
	u64 call_base, this_cpu_off, return_thunk, indirect_thunk, its_thunk, call_depth, clear_bhb, arena_kern, arena_user;
};
extern struct settings set;

#define CONFIG_64BIT 1
#include <asm/nops.h>
#define CONFIG_SMP 1
#define CONFIG_MITIGATION_RETPOLINE set.build_retpoline
#define CONFIG_MITIGATION_SLS set.sls
#define IS_ENABLED(x) (x)
#define X86_FEATURE_BMI2 set.bmi2
#define X86_FEATURE_RETPOLINE (set.retpoline == 1)
#define X86_FEATURE_RETPOLINE_LFENCE (set.retpoline == 2)
#define X86_FEATURE_INDIRECT_THUNK_ITS (set.its_thunk != 0)
#define X86_FEATURE_CALL_DEPTH (set.call_depth != 0)
#define X86_FEATURE_CLEAR_BHB_LOOP (set.clear_bhb != 0)
#define X86_FEATURE_CLEAR_BHB_HW set.ibhf
#define X86_FEATURE_HYPERVISOR 0
#define cpu_feature_enabled(x) (x)
#define boot_cpu_has(x) (x)
#define cpu_wants_rethunk() (set.return_thunk != 0)
#define x86_return_thunk ((void *)set.return_thunk)
#define TASK_SIZE_MAX ((1UL << (set.la57 ? 56 : 47)) - 4096)
#define PAGE_SIZE 4096
#define VSYSCALL_ADDR (-10UL << 20)
#define __bpf_call_base ((u8 *)set.call_base)
#define this_cpu_off (*(u64 *)set.this_cpu_off)
/* Jumps go through rcx, the second of the thunks. */
typedef u8 retpoline_thunk_t[32];
#define __x86_indirect_thunk_array ((retpoline_thunk_t *)(set.indirect_thunk - 32))
#define __x86_indirect_jump_thunk_array __x86_indirect_thunk_array
#define its_static_thunk(reg) ((void *)set.its_thunk)
#define clear_bhb_loop set.clear_bhb
/* A kernel without IBT has no endbr64 at all: the distance of tail calls shows it. */
#define ENDBR_INSN_SIZE ((int)(set.ibt ? 4 : 0))
#define EMIT_ENDBR() do { if (set.ibt) EMIT(0xfa1e0ff3, 4); } while (0)
#define EMIT_ENDBR_POISON() do {} while (0)

enum { CFI_OFF, CFI_FINEIBT, CFI_KCFI };
#define cfi_mode CFI_OFF
#define cfi_bhi 0
#define cfi_bpf_hash 0
#define cfi_bpf_subprog_hash 0
#define cfi_get_offset() 0
static void *__bhi_args[8];

/* sarq $5, gs:depth(%rip), with the distance from the end of the instruction. */
static inline int x86_call_depth_emit_accounting(u8 **pprog, void *func, void *ip)
{
	static const u8 sar[] = { 0x65, 0x48, 0xc1, 0x3d };
	s32 distance = set.call_depth - ((u64)ip + 9);

	if (!set.call_depth)
		return 0;
	memcpy(*pprog, sar, 4);
	memcpy(*pprog + 4, &distance, 4);
	(*pprog)[8] = 5;
	*pprog += 9;
	return 9;
}

extern const unsigned char *const x86_nops[];
struct pt_regs { unsigned long r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di, orig_ax, ip; };
struct exception_table_entry { int insn, fixup, data; };
#define EX_TYPE_BPF 7

struct bpf_insn { u8 code; u8 dst_reg:4, src_reg:4; s16 off; s32 imm; };
struct bpf_jit_poke_descriptor { void *tailcall_target, *tailcall_bypass, *bypass_addr; u16 adj_off; };
struct bpf_prog;
struct bpf_prog_aux {
	u32 stack_depth, func_idx, num_exentries;
	bool tail_call_reachable, exception_boundary, exception_cb, jits_use_priv_stack;
	void *arena, *jit_data, *priv_stack_ptr;
	struct exception_table_entry *extable;
	struct bpf_jit_poke_descriptor poke_tab[16];
	bool verifier_zext;
};
/* Offsets that code contains (bpf_func, max_entries, ptrs) are those of the tests' image. */
struct bpf_prog {
	u16 jited:1, jit_requested:1, is_func:1, was_classic:1;
	u32 len, jited_len, image_size;
	u8 pad[72 - 16];
	void *bpf_func;
	struct bpf_prog_aux *aux;
	struct bpf_insn *insnsi;
	u64 address, private_stack;
	int *offsets;
	u8 *image;
};
struct bpf_map { u8 pad[76]; u32 max_entries; };
struct bpf_array { struct bpf_map map; u8 pad[312 - 80]; void *ptrs[0]; };
static inline bool bpf_is_subprog(const struct bpf_prog *p) { return p->aux->func_idx != 0; }
#define bpf_prog_was_classic(p) ((p)->was_classic)
static int init_user_ns;
#define CAP_SYS_ADMIN 21
extern int g_admin;
#define ns_capable_noaudit(ns, cap) g_admin
#define MAX_TAIL_CALL_CNT 33

#define BPF_CLASS(c) ((c) & 7)
#define BPF_SIZE(c) ((c) & 0x18)
#define BPF_MODE(c) ((c) & 0xe0)
#define BPF_OP(c) ((c) & 0xf0)
#define BPF_SRC(c) ((c) & 8)
enum { BPF_LD, BPF_LDX, BPF_ST, BPF_STX, BPF_ALU, BPF_JMP, BPF_JMP32, BPF_ALU64 };
enum { BPF_W = 0, BPF_H = 8, BPF_B = 16, BPF_DW = 24 };
enum { BPF_IMM = 0, BPF_PROBE_MEM = 0x20, BPF_PROBE_MEMSX = 0x40, BPF_MEM = 0x60, BPF_MEMSX = 0x80, BPF_PROBE_MEM32 = 0xa0,
       BPF_PROBE_MEM32SX = 0xc0, BPF_ATOMIC = 0xc0, BPF_NOSPEC = 0xc0, BPF_PROBE_ATOMIC = 0xe0 };
enum { BPF_K = 0, BPF_X = 8, BPF_FROM_LE = 0, BPF_FROM_BE = 8, BPF_TO_LE = 0, BPF_TO_BE = 8 };
enum { BPF_ADD = 0, BPF_SUB = 0x10, BPF_MUL = 0x20, BPF_DIV = 0x30, BPF_OR = 0x40, BPF_AND = 0x50, BPF_LSH = 0x60,
       BPF_RSH = 0x70, BPF_NEG = 0x80, BPF_MOD = 0x90, BPF_XOR = 0xa0, BPF_MOV = 0xb0, BPF_ARSH = 0xc0, BPF_END = 0xd0 };
enum { BPF_JA = 0, BPF_JEQ = 0x10, BPF_JGT = 0x20, BPF_JGE = 0x30, BPF_JSET = 0x40, BPF_JNE = 0x50, BPF_JSGT = 0x60,
       BPF_JSGE = 0x70, BPF_CALL = 0x80, BPF_EXIT = 0x90, BPF_JLT = 0xa0, BPF_JLE = 0xb0, BPF_JSLT = 0xc0, BPF_JSLE = 0xd0,
       BPF_TAIL_CALL = 0xf0 };
enum { BPF_FETCH = 1, BPF_XCHG = 0xe1, BPF_CMPXCHG = 0xf1, BPF_LOAD_ACQ = 0x100, BPF_STORE_REL = 0x110 };
enum { BPF_REG_0, BPF_REG_1, BPF_REG_2, BPF_REG_3, BPF_REG_4, BPF_REG_5, BPF_REG_6, BPF_REG_7, BPF_REG_8, BPF_REG_9,
       BPF_REG_10, MAX_BPF_REG, BPF_REG_FP = BPF_REG_10, BPF_REG_AX = MAX_BPF_REG, MAX_BPF_JIT_REG };
#define BPF_PSEUDO_CALL 1
#define BPF_PSEUDO_FUNC 4
static inline bool insn_is_cast_user(const struct bpf_insn *i) { return i->code == 0xbf && i->off == 1 && i->imm == 1 << 16; }
static inline bool insn_is_mov_percpu_addr(const struct bpf_insn *i) { return i->code == 0xbf && i->off == -1; }
static inline bool bpf_atomic_is_load_store(const struct bpf_insn *i) { return i->imm == BPF_LOAD_ACQ || i->imm == BPF_STORE_REL; }
#define bpf_jit_blind_constants(p) (p)
#define bpf_jit_prog_release_other(a, b) do {} while (0)
#define GFP_KERNEL 0
#define kzalloc(n, f) calloc(1, n)
#define kvmalloc_array(a, b, f) calloc(a, b)
#define kvfree free
#define kfree free
#define free_percpu(p) do {} while (0)
#define __alloc_percpu_gfp(n, a, f) ((void *)prog->private_stack)
#define priv_stack_init_guard(a, b) do {} while (0)
#define bpf_tail_call_direct_fixup(p) do {} while (0)
#define bpf_arena_get_kern_vm_start(a) set.arena_kern
#define bpf_arena_get_user_vm_start(a) set.arena_user
struct bpf_binary_header { u32 size; u8 image[]; };
extern int bpf_jit_enable;
#define bpf_jit_dump(a, b, c, d) do {} while (0)
#define bpf_arch_text_copy(a, b, c) do {} while (0)
#define bpf_jit_binary_pack_free(a, b) do {} while (0)
#define bpf_jit_binary_pack_finalize(a, b) 0
extern struct bpf_prog *g_current;
static inline struct bpf_binary_header *bpf_jit_binary_pack_alloc(unsigned int size, u8 **image, unsigned int alignment,
								  struct bpf_binary_header **rw_header, u8 **rw_image,
								  void *fill, bool classic)
{
	u8 *memory = malloc(size + 128);

	*rw_header = (void *)memory;
	*rw_image = memory + 8;
	*image = (u8 *)g_current->address;
	g_current->image_size = size;
	g_current->image = *rw_image;
	return (void *)(g_current->address - 8);
}
static inline void bpf_prog_fill_jited_linfo(struct bpf_prog *prog, int *offsets)
{
	size_t size = sizeof(int) * (prog->len + 1);

	prog->offsets = malloc(size);
	memcpy(prog->offsets, offsets - 1, size);
}

/* Instructions that blinding is made of. */
#define INSN(c, d, s, o, i) ((struct bpf_insn){ .code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i) })
#define BPF_ALU64_IMM(op, d, i) INSN(BPF_ALU64 | (op) | BPF_K, d, 0, 0, i)
#define BPF_ALU64_IMM_OFF(op, d, i, o) INSN(BPF_ALU64 | (op) | BPF_K, d, 0, o, i)
#define BPF_ALU32_IMM(op, d, i) INSN(BPF_ALU | (op) | BPF_K, d, 0, 0, i)
#define BPF_ALU64_REG(op, d, s) INSN(BPF_ALU64 | (op) | BPF_X, d, s, 0, 0)
#define BPF_ALU64_REG_OFF(op, d, s, o) INSN(BPF_ALU64 | (op) | BPF_X, d, s, o, 0)
#define BPF_ALU32_REG(op, d, s) INSN(BPF_ALU | (op) | BPF_X, d, s, 0, 0)
#define BPF_ALU32_REG_OFF(op, d, s, o) INSN(BPF_ALU | (op) | BPF_X, d, s, o, 0)
#define BPF_MOV64_IMM(d, i) BPF_ALU64_IMM(BPF_MOV, d, i)
#define BPF_JMP_REG(op, d, s, o) INSN(BPF_JMP | (op) | BPF_X, d, s, o, 0)
#define BPF_JMP32_REG(op, d, s, o) INSN(BPF_JMP32 | (op) | BPF_X, d, s, o, 0)
#define BPF_STX_MEM(w, d, s, o) INSN(BPF_STX | (w) | BPF_MEM, d, s, o, 0)
#define BPF_ZEXT_REG(d) INSN(BPF_ALU | BPF_MOV | BPF_X, d, d, 0, 1)
extern u32 get_random_u32(void);
#endif
