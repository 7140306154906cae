// arm64 register numbers and which of them stand for which BPF register.

/** x0 … x30 are their own numbers; these have roles. */
export const FRAME_POINTER = 29;
export const LINK = 30;
/** Reads as zero; in address operands and in add and sub of immediates the same number is the stack pointer. */
export const ZERO = 31;
export const SP = 31;

/** Register of BPF r0 … r10 and of the hidden r11 (AX). rule: bpf2a64, bpf_jit_comp.c, 6.18 */
export const MACHINE_REG: readonly number[] = [7, 0, 1, 2, 3, 4, 19, 20, 21, 22, 25, 9];

/** BPF registers by name, as machine registers. */
export const R0 = 7;
export const R1 = 0;
export const R2 = 1;
export const R3 = 2;
export const FP = 25;
export const HIDDEN = 9;

/** Result and first argument of the machine's calling convention. */
export const RESULT = 0;

/** Scratch of the emitter itself, no BPF register. */
export const TMP1 = 10;
export const TMP2 = 11;
export const TMP3 = 12;
/** Points to the counter of tail calls. */
export const TAIL_COUNTER = 26;
/** Lowest address of the private stack. */
export const PRIVATE_STACK = 27;
/** Base of the arena. */
export const ARENA_BASE = 28;

/** Registers that a function has to save, by the BPF register whose mention makes it do so. */
export const SAVED_BPF: readonly (readonly [bpf: number, machine: number])[] = [
  [6, 19],
  [7, 20],
  [8, 21],
  [9, 22],
];

/** All that the machine's convention wants saved, in the pairs that programs which can throw push. */
export const ALL_SAVED_PAIRS: readonly (readonly [number, number])[] = [
  [19, 20],
  [21, 22],
  [23, 24],
  [25, 26],
  [27, 28],
];
