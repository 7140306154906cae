// x86-64 register numbers and which of them stand for which BPF register.

export const RAX = 0;
export const RCX = 1;
export const RDX = 2;
export const RBX = 3;
export const RBP = 5;
export const RSI = 6;
export const RDI = 7;
export const R8 = 8;
export const R9 = 9;
export const R10 = 10;
export const R11 = 11;
export const R12 = 12;
export const R13 = 13;
export const R14 = 14;
export const R15 = 15;

/** Register of BPF r0 … r10 and of the hidden r11 (AX). rule: reg2hex, bpf_jit_comp.c, 6.18 */
export const MACHINE_REG: readonly number[] = [RAX, RDI, RSI, RDX, RCX, R8, RBX, R13, R14, R15, RBP, R10];

/** Scratch of the emitter itself, no BPF register. */
export const SCRATCH = R11;
/** BPF's hidden register, free between instructions. */
export const HIDDEN = R10;
/** Frame pointer of programs with a private stack. */
export const PRIVATE_FRAME = R9;
/** Base of the arena. */
export const ARENA_BASE = R12;

/** Byte offset in `struct pt_regs`, for the exception table; only registers of r0 … r9 have one. */
const PT_REGS = ['r15', 'r14', 'r13', 'r12', 'bp', 'bx', 'r11', 'r10', 'r9', 'r8', 'ax', 'cx', 'dx', 'si', 'di'];
const PT_REGS_NAME: Readonly<Record<number, string>> = {
  [RAX]: 'ax',
  [RDI]: 'di',
  [RSI]: 'si',
  [RDX]: 'dx',
  [RCX]: 'cx',
  [R8]: 'r8',
  [RBX]: 'bx',
  [R13]: 'r13',
  [R14]: 'r14',
  [R15]: 'r15',
};
export const ptRegsOffset = (reg: number): number => {
  const name = PT_REGS_NAME[reg];
  return name === undefined ? 0 : PT_REGS.indexOf(name) * 8;
};
