// Small programs for scenarios.
import { encodeInsns, type Insn, insn } from '../../src/isa/insn.ts';
import { PROG_TYPE, type ProgTypeName } from '../../src/isa/uapi.ts';
import type { Kernel, ProgLoadAttr } from '../../src/syscall.ts';

export const EXIT: Insn = insn(0x95);
export const movImm = (dst: number, imm: number): Insn => insn(0xb7, dst, 0, 0, imm);
export const mapFd = (dst: number, fd: number): Insn[] => [insn(0x18, dst, 1, 0, fd), insn(0)];
export const call = (helper: number): Insn => insn(0x85, 0, 0, 0, helper);

/** `r0 = 0; exit` of a type that needs no more. */
export const nothing = (type: ProgTypeName): ProgLoadAttr => ({
  type: PROG_TYPE[type],
  insns: encodeInsns([movImm(0, 0), EXIT]),
  license: 'GPL',
});

/** A program that holds on to a map without doing anything with it. */
export const holding = (type: ProgTypeName, fd: number): ProgLoadAttr => ({
  ...nothing(type),
  insns: encodeInsns([...mapFd(1, fd), movImm(0, 0), EXIT]),
});

/** Whether an object of this kind has the id. */
export function isThere(kernel: Kernel, kind: 'prog' | 'map' | 'btf', id: number): string {
  try {
    return kernel.nextId(kind, id - 1) === id ? 'there' : 'gone';
  } catch {
    return 'gone';
  }
}
