/*
 * What the arm64 emitter wants of the rest of the kernel: as little as it can do with. Options and features of the
 * processor are variables, since questions set them.
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
#include <limits.h>
typedef uint8_t u8; typedef uint16_t u16; typedef uint32_t u32; typedef uint64_t u64;
typedef int8_t s8; typedef int16_t s16; typedef int32_t s32; typedef int64_t s64;
typedef u32 __le32; typedef u8 __u8; typedef s16 __s16; typedef s32 __s32; typedef u32 __u32; typedef u64 __u64;
#define __percpu
#define __force
#define __kprobes
#define __maybe_unused __attribute__((unused))
#define __always_inline inline __attribute__((always_inline))
#define BIT(n) (1UL << (n))
#define GENMASK(h, l) (((~0UL) << (l)) & (~0UL >> (63 - (h))))
#define FIELD_PREP(m, v) ((((u64)(v)) << __builtin_ctzl(m)) & (m))
#define FIELD_GET(m, v) (((u64)(v) & (m)) >> __builtin_ctzl(m))
#define BUILD_BUG_ON(x) ((void)sizeof(char[1 - 2*!!(x)]))
#define BUG_ON(x) do { if (x) abort(); } while (0)
#define BUG() abort()
#define WARN_ON_ONCE(x) ({ int __w = !!(x); if (__w) fprintf(stderr, "WARN %s\n", #x); __w; })
#define WARN_ON(x) WARN_ON_ONCE(x)
#define pr_err(...) do {} while (0)
#define pr_err_once(...) do {} while (0)
#define pr_info(...) do {} while (0)
#define cpu_to_le32(x) (x)
#define le32_to_cpu(x) (x)
#define SZ_4K 0x1000
#define SZ_64K 0x10000
#define SZ_1M 0x100000
#define SZ_2M 0x200000
#define SZ_128M 0x08000000
#define SZ_32 32
#define SZ_64 64
#define FAULT_BRK_IMM 0x100
#define ALIGN_DOWN(x, a) ((x) & ~((typeof(x))(a) - 1))
#define round_up(x, a) ((((x) - 1) | ((typeof(x))(a) - 1)) + 1)
#define round_down(x, a) ((x) & ~((typeof(x))(a) - 1))
#define max(a, b) ({ typeof(a) _a = (a); typeof(b) _b = (b); _a > _b ? _a : _b; })
#define sizeof_field(t, f) sizeof(((t *)0)->f)
static inline int fls64(u64 x) { return x ? 64 - __builtin_clzl(x) : 0; }
static inline unsigned long __ffs64(u64 x) { return __builtin_ctzl(x); }
#undef ffs
#define ffs(x) __builtin_ffs(x)
static inline int hweight64(u64 x) { return __builtin_popcountl(x); }
#define ERR_PTR(x) ((void *)(long)(x))
#define IS_ERR(p) ((unsigned long)(p) >= (unsigned long)-4095)
extern int g_bti, g_pac, g_cfi, g_lse, g_vhe, g_sb, g_bhb_clear, g_bhb_k, g_bhb_fw, g_mitigate;
extern u64 g_call_base, g_timed, g_arena_kern, g_arena_user;
#define CONFIG_ARM64_BTI_KERNEL g_bti
#define CONFIG_ARM64_PTR_AUTH_KERNEL g_pac
#define CONFIG_CFI g_cfi
#define CONFIG_MITIGATE_SPECTRE_BRANCH_HISTORY g_mitigate
#define CONFIG_ARM64_LSE_ATOMICS 1
#define IS_ENABLED(x) (x)
enum { ARM64_HAS_VIRT_HOST_EXTN, ARM64_HAS_LSE_ATOMICS, ARM64_HAS_SB };
static inline bool cpus_have_cap(int c) { return c == 0 ? g_vhe : c == 1 ? g_lse : g_sb; }
#define alternative_has_cap_likely cpus_have_cap
#define cfi_bpf_hash 0x11111111
#define cfi_bpf_subprog_hash 0x22222222
static inline int cfi_get_offset(void) { return g_cfi ? 4 : 0; }
#define get_spectre_bhb_loop_value() g_bhb_k
#define cpu_mitigations_off() false
#define __nospectre_bhb false
enum { SPECTRE_VULNERABLE, SPECTRE_UNAFFECTED };
#define arm64_get_spectre_v2_state() SPECTRE_UNAFFECTED
#define ns_capable_noaudit(a, b) (!g_mitigate)
#define supports_clearbhb(x) g_bhb_clear
#define is_spectre_bhb_fw_mitigated() (g_bhb_fw != 0)
enum { SMCCC_CONDUIT_NONE, SMCCC_CONDUIT_HVC, SMCCC_CONDUIT_SMC };
#define arm_smccc_1_1_get_conduit() g_bhb_fw
#define ARM_SMCCC_ARCH_WORKAROUND_3 0x80003fff
struct bpf_insn { u8 code; u8 dst_reg:4, src_reg:4; s16 off; s32 imm; };
struct exception_table_entry { int insn, fixup; short type, data; };
#define EX_TYPE_BPF 1
struct pt_regs { u64 regs[31]; u64 sp, pc; };
struct bpf_prog;
struct bpf_prog_aux {
	u32 stack_depth, func_idx, func_cnt, real_func_cnt, num_exentries;
	bool exception_boundary, exception_cb, jits_use_priv_stack;
	void *arena; void *jit_data; void *priv_stack_ptr;
	struct exception_table_entry *extable; struct bpf_prog **func;
};
/* Offsets that code contains (bpf_func, max_entries, ptrs, cpu) are those of the tests' image. */
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
struct bpf_array { struct bpf_map map; u8 pad[312 - 80]; void *ptrs[0]; } ;
struct thread_info { unsigned long flags; u64 preempt; u32 cpu; };
static inline bool bpf_is_subprog(const struct bpf_prog *p) { return p->aux->func_idx != 0; }
#define MAX_TAIL_CALL_CNT 33
#define BPF_CLASS(c) ((c) & 7)
#define BPF_LD 0
#define BPF_LDX 1
#define BPF_ST 2
#define BPF_STX 3
#define BPF_ALU 4
#define BPF_JMP 5
#define BPF_JMP32 6
#define BPF_ALU64 7
#define BPF_SIZE(c) ((c) & 0x18)
#define BPF_W 0
#define BPF_H 8
#define BPF_B 0x10
#define BPF_DW 0x18
#define BPF_MODE(c) ((c) & 0xe0)
#define BPF_IMM 0
#define BPF_MEM 0x60
#define BPF_MEMSX 0x80
#define BPF_ATOMIC 0xc0
#define BPF_NOSPEC 0xc0
#define BPF_PROBE_MEM 0x20
#define BPF_PROBE_MEMSX 0x40
#define BPF_PROBE_MEM32 0xa0
#define BPF_PROBE_MEM32SX 0xc0
#define BPF_PROBE_ATOMIC 0xe0
#define BPF_OP(c) ((c) & 0xf0)
#define BPF_SRC(c) ((c) & 8)
#define BPF_K 0
#define BPF_X 8
#define BPF_ADD 0
#define BPF_SUB 0x10
#define BPF_MUL 0x20
#define BPF_DIV 0x30
#define BPF_OR 0x40
#define BPF_AND 0x50
#define BPF_LSH 0x60
#define BPF_RSH 0x70
#define BPF_NEG 0x80
#define BPF_MOD 0x90
#define BPF_XOR 0xa0
#define BPF_MOV 0xb0
#define BPF_ARSH 0xc0
#define BPF_END 0xd0
#define BPF_FROM_LE 0
#define BPF_FROM_BE 8
#define BPF_JA 0
#define BPF_JEQ 0x10
#define BPF_JGT 0x20
#define BPF_JGE 0x30
#define BPF_JSET 0x40
#define BPF_JNE 0x50
#define BPF_JSGT 0x60
#define BPF_JSGE 0x70
#define BPF_CALL 0x80
#define BPF_EXIT 0x90
#define BPF_JLT 0xa0
#define BPF_JLE 0xb0
#define BPF_JSLT 0xc0
#define BPF_JSLE 0xd0
#define BPF_TAIL_CALL 0xf0
#define BPF_FETCH 1
#define BPF_XCHG 0xe1
#define BPF_CMPXCHG 0xf1
#define BPF_LOAD_ACQ 0x100
#define BPF_STORE_REL 0x110
enum { BPF_REG_0, BPF_REG_1, BPF_REG_2, BPF_REG_3, BPF_REG_4, BPF_REG_5, BPF_REG_6, BPF_REG_7, BPF_REG_8, BPF_REG_9, BPF_REG_10, MAX_BPF_REG };
#define BPF_REG_FP BPF_REG_10
#define BPF_REG_AX MAX_BPF_REG
#define MAX_BPF_JIT_REG (MAX_BPF_REG + 1)
#define BPF_FUNC_get_smp_processor_id 8
#define BPF_FUNC_get_current_task 35
#define BPF_FUNC_get_current_task_btf 158
#define BPF_ADDR_SPACE_CAST 1
#define BPF_ADDR_PERCPU (-1)
#define BPF_PSEUDO_FUNC 4
#define BPF_PSEUDO_CALL 1
static inline bool insn_is_cast_user(const struct bpf_insn *i) { return i->code == (BPF_ALU64|BPF_MOV|BPF_X) && i->off == 1 && i->imm == 1U << 16; }
static inline bool insn_is_mov_percpu_addr(const struct bpf_insn *i) { return i->code == (BPF_ALU64|BPF_MOV|BPF_X) && i->off == -1; }
static inline bool bpf_pseudo_func(const struct bpf_insn *i) { return i->code == 0x18 && i->src_reg == 4; }
static inline bool bpf_atomic_is_load_store(const struct bpf_insn *i) { return i->imm == BPF_LOAD_ACQ || i->imm == BPF_STORE_REL; }
#define arch_bpf_timed_may_goto g_timed
static inline int bpf_jit_get_func_addr(const struct bpf_prog *prog, const struct bpf_insn *insn, bool extra, u64 *addr, bool *fixed)
{
	*fixed = insn->src_reg != BPF_PSEUDO_CALL;
	if (!*fixed) {
		if (!extra) *addr = 0;
		else if (prog->aux->func && insn->off >= 0 && insn->off < (int)prog->aux->real_func_cnt) *addr = (u64)prog->aux->func[insn->off]->bpf_func;
		else return -EINVAL;
	} else *addr = g_call_base + (s64)insn->imm;
	return 0;
}
static inline void bpf_prog_report_arena_violation(bool w, unsigned long a, unsigned long pc) {}
#define bpf_prog_was_classic(p) ((p)->was_classic)
#define bpf_jit_blind_constants(p) (p)
#define bpf_jit_prog_release_other(a, b) do {} while (0)
#define GFP_KERNEL 0
#define kzalloc(n, f) calloc(1, n)
#define kvcalloc(a, b, f) calloc(a, b)
#define kvfree free
#define kfree free
#define free_percpu(p) do {} while (0)
#define __alloc_percpu_gfp(n, a, f) ((void *)prog->private_stack)
#define for_each_possible_cpu(c) for (c = 0; c < 0; c++)
#define per_cpu_ptr(p, c) (p)
#define bpf_jit_get_prog_name(p) ""
#define bpf_arena_get_user_vm_start(a) g_arena_user
#define bpf_arena_get_kern_vm_start(a) g_arena_kern
struct bpf_binary_header { u32 size; u8 image[]; };
extern int bpf_jit_enable;
#define bpf_jit_dump(a, b, c, d) do {} while (0)
#define bpf_arch_text_copy(a, b, c) do {} while (0)
#define aarch64_insn_set(a, b, c) 1
#define bpf_jit_binary_pack_free(a, b) do {} while (0)
#define bpf_jit_binary_pack_finalize(a, b) 0
#define VMALLOC_END 0
#define VMALLOC_START 0
extern struct bpf_prog *g_current;
static inline struct bpf_binary_header *bpf_jit_binary_pack_alloc(unsigned int size, u8 **image, unsigned int alignment,
								  struct bpf_binary_header **rw_header, u8 **rw_image,
								  void *fill, bool classic)
{
	u32 *words = malloc(size + 128);

	for (u32 i = 0; i < (size + 128) / 4; i++)
		words[i] = 0xd4202000;
	*rw_header = (void *)words;
	*rw_image = (u8 *)(words + 2);
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
#endif
