// The fields of a BPF opcode byte, as <linux/bpf.h>, <linux/bpf_common.h> and RFC 9669 number them.

/** Instruction classes: `code & 7`. */
export const CLASS = { LD: 0, LDX: 1, ST: 2, STX: 3, ALU: 4, JMP: 5, JMP32: 6, ALU64: 7 } as const;
/** Access widths of loads and stores: `code & 0x18`. */
export const SIZE = { W: 0x00, H: 0x08, B: 0x10, DW: 0x18 } as const;
/** Modes of loads and stores: `code & 0xe0`; the PROBE_ modes exist only inside the kernel. */
export const MODE = {
  IMM: 0x00,
  ABS: 0x20,
  IND: 0x40,
  MEM: 0x60,
  MEMSX: 0x80,
  ATOMIC: 0xc0,
  PROBE_MEM: 0x20,
  PROBE_MEMSX: 0x40,
  PROBE_MEM32: 0xa0,
  PROBE_MEM32SX: 0xc0,
  PROBE_ATOMIC: 0xe0,
} as const;
/** Arithmetic operations: `code & 0xf0` of ALU and ALU64. */
export const ALU = {
  ADD: 0x00,
  SUB: 0x10,
  MUL: 0x20,
  DIV: 0x30,
  OR: 0x40,
  AND: 0x50,
  LSH: 0x60,
  RSH: 0x70,
  NEG: 0x80,
  MOD: 0x90,
  XOR: 0xa0,
  MOV: 0xb0,
  ARSH: 0xc0,
  END: 0xd0,
} as const;
/** Jump operations: `code & 0xf0` of JMP and JMP32. */
export const JMP = {
  JA: 0x00,
  JEQ: 0x10,
  JGT: 0x20,
  JGE: 0x30,
  JSET: 0x40,
  JNE: 0x50,
  JSGT: 0x60,
  JSGE: 0x70,
  CALL: 0x80,
  EXIT: 0x90,
  JLT: 0xa0,
  JLE: 0xb0,
  JSLT: 0xc0,
  JSLE: 0xd0,
  JCOND: 0xe0,
  /** Internal: a tail call after fix-up. */
  TAIL_CALL: 0xf0,
} as const;
/** Operand source bit: K is the immediate, X the source register. */
export const SRC = { K: 0x00, X: 0x08 } as const;
/** Values of `imm` of an atomic operation. */
export const ATOMIC = {
  ADD: 0x00,
  OR: 0x40,
  AND: 0x50,
  XOR: 0xa0,
  FETCH: 0x01,
  XCHG: 0xe1,
  CMPXCHG: 0xf1,
  LOAD_ACQ: 0x100,
  STORE_REL: 0x110,
} as const;
/** Values of `src` of a 64-bit immediate load (`ldimm64`). */
export const PSEUDO = {
  MAP_FD: 1,
  MAP_VALUE: 2,
  BTF_ID: 3,
  FUNC: 4,
  MAP_IDX: 5,
  MAP_IDX_VALUE: 6,
} as const;
/** Values of `src` of a call. */
export const CALL_KIND = { HELPER: 0, PSEUDO: 1, KFUNC: 2 } as const;

export const insnClass = (code: number): number => code & 0x07;
export const insnSize = (code: number): number => code & 0x18;
export const insnMode = (code: number): number => code & 0xe0;
export const insnOp = (code: number): number => code & 0xf0;
export const insnSrc = (code: number): number => code & 0x08;

/** Bytes that a load or store of this opcode moves: 1, 2, 4 or 8. */
export const sizeBytes = (code: number): number => [4, 2, 1, 8][(code & 0x18) >> 3];
