// Constant blinding: constants that a user chose do not appear in machine code; each is put together from two random
// ones in the hidden register just before its use.

import { SysError } from '../../errno.ts';
import type { Insn } from '../../isa/insn.ts';
import { insn, LDIMM64 } from '../../isa/insn.ts';
import { ALU, CLASS, insnClass, insnMode, insnOp, insnSrc, JMP, MODE, PSEUDO, SRC } from '../../isa/opcode.ts';

/** BPF's hidden register. */
const AX = 11;

/** Operations with an immediate that are blinded; shifts are not. */
const BLINDED_ALU: ReadonlySet<number> = new Set([
  ALU.ADD,
  ALU.SUB,
  ALU.AND,
  ALU.OR,
  ALU.XOR,
  ALU.MUL,
  ALU.MOV,
  ALU.DIV,
  ALU.MOD,
]);
const UNCONDITIONAL: ReadonlySet<number> = new Set([JMP.JA, JMP.CALL, JMP.EXIT, JMP.JCOND, JMP.TAIL_CALL]);

export interface Blinded {
  insns: Insn[];
  /** Index where what stands for instruction i of the original begins. */
  firstSlots: number[];
}

/**
 * The function with blinded constants; `random` gives unsigned 32-bit keys. Throws SysError ERANGE where a jump no
 * longer reaches. rule: bpf_jit_blind_constants, 6.18
 */
export function blindConstants(source: readonly Insn[], random: () => number): Blinded {
  const insns: Insn[] = [];
  const firstSlots: number[] = [];
  /** New index of each jump, and its index in the source. */
  const jumps: [at: number, from: number][] = [];
  for (let i = 0; i < source.length; i++) {
    const x = source[i];
    firstSlots.push(insns.length);
    if (x.code === LDIMM64 && i + 1 < source.length) {
      const next = source[++i];
      if (x.src === PSEUDO.FUNC || x.dst === AX) {
        firstSlots.push(insns.length);
        insns.push({ ...x }, { ...next });
        continue;
      }
      insns.push(...blindHighHalf(x, next, random() | 0));
      firstSlots.push(insns.length);
      insns.push(...blindLowHalf(x, random() | 0));
      continue;
    }
    insns.push(...blindInsn(x, random() | 0));
    if (isJump(x)) jumps.push([insns.length - 1, i]);
  }
  firstSlots.push(insns.length);
  for (const [at, from] of jumps) retarget(insns[at], at, source[from], from, firstSlots);
  firstSlots.pop();
  return { insns, firstSlots };
}

const isJump = (x: Insn): boolean => {
  const kind = insnClass(x.code);
  if (kind !== CLASS.JMP && kind !== CLASS.JMP32) return false;
  return insnOp(x.code) === JMP.JA || !UNCONDITIONAL.has(insnOp(x.code));
};

/** A jump lands where the blinded form of its target begins. */
function retarget(jump: Insn, at: number, original: Insn, from: number, firstSlots: readonly number[]): void {
  const long = original.code === (CLASS.JMP32 | JMP.JA);
  const target = firstSlots[from + 1 + (long ? original.imm : original.off)];
  if (target === undefined) throw new SysError('ERANGE', 'a jump leaves the function');
  const distance = target - at - 1;
  if (long) jump.imm = distance;
  else if (distance !== (distance << 16) >> 16) throw new SysError('ERANGE', 'blinding moved a jump out of reach');
  else jump.off = distance;
}

/** ax = key ^ value; ax ^= key, in the width of the class given. */
const loadBlinded = (aluClass: number, value: number, key: number): Insn[] => [
  insn(aluClass | ALU.MOV | SRC.K, AX, 0, 0, key ^ value),
  insn(aluClass | ALU.XOR | SRC.K, AX, 0, 0, key),
];

function blindInsn(x: Insn, key: number): Insn[] {
  const kind = insnClass(x.code);
  const register = kind !== CLASS.ST && insnSrc(x.code) === SRC.X;
  if (x.dst === AX || x.src === AX || register) return [{ ...x }];
  const operation = insnOp(x.code);
  switch (kind) {
    case CLASS.ALU:
    case CLASS.ALU64:
      if (!BLINDED_ALU.has(operation)) break;
      if (operation === ALU.MOV && x.imm === 0) return [insn(CLASS.ALU64 | ALU.XOR | SRC.X, x.dst, x.dst)];
      return [...loadBlinded(kind, x.imm, key), insn(kind | operation | SRC.X, x.dst, AX, x.off)];
    case CLASS.JMP:
    case CLASS.JMP32:
      if (UNCONDITIONAL.has(operation)) break;
      return [
        ...loadBlinded(kind === CLASS.JMP ? CLASS.ALU64 : CLASS.ALU, x.imm, key),
        insn(kind | operation | SRC.X, x.dst, AX, x.off),
      ];
    case CLASS.ST:
      if (insnMode(x.code) !== MODE.MEM && insnMode(x.code) !== MODE.PROBE_MEM32) break;
      return [...loadBlinded(CLASS.ALU64, x.imm, key), { ...x, code: (x.code & ~7) | CLASS.STX, src: AX, imm: 0 }];
  }
  return [{ ...x }];
}

const blindHighHalf = (x: Insn, next: Insn, key: number): Insn[] => [
  ...loadBlinded(CLASS.ALU64, next.imm, key),
  insn(CLASS.ALU64 | ALU.LSH | SRC.K, AX, 0, 0, 32),
  insn(CLASS.ALU64 | ALU.MOV | SRC.X, x.dst, AX),
];

const blindLowHalf = (x: Insn, key: number): Insn[] => [
  ...loadBlinded(CLASS.ALU, x.imm, key),
  insn(CLASS.ALU64 | ALU.OR | SRC.X, x.dst, AX),
];
