// Programs made ready to run.
//
// Programs run as they were loaded: what the verifier claims counts in those instructions, and contexts have the layout
// that user space knows. What the simulated kernel keeps of a program runs on the same tables, whose rows know the
// opcodes that exist only there; contexts and objects must then be laid out as in the kernel, which makes no difference
// for programs that user space calls (type syscall).
import { type Insn, imm64, LDIMM64 } from '../../isa/insn.ts';
import { CALL_KIND, CLASS, insnClass, insnMode, insnOp, JMP, PSEUDO, sizeBytes } from '../../isa/opcode.ts';
import { HELPERS, type HelperName } from '../../isa/uapi.ts';
import { ALU_STEPS } from './alu.ts';
import { ATOMIC_STEPS } from './atomics.ts';
import { JUMP_STEPS } from './jumps.ts';
import { MEMORY_STEPS, memoryMode, type PointerKind } from './loads.ts';
import type { Code, HelperFn, Op, Step } from './machine.ts';

/** Helpers by name, without `bpf_`. */
export type HelperTable = Readonly<Partial<Record<HelperName, HelperFn>>>;
/** Kernel functions that are no helpers, by name. */
export type KfuncTable = Readonly<Record<string, HelperFn>>;

/** A program with all that its instructions leave open. */
export interface ProgramSource {
  name: string;
  insns: readonly Insn[];
  /** Later tables win. */
  helpers?: readonly HelperTable[];
  /** Value of the 64-bit immediate at `i`, when it stands for a map, a variable…; undefined: what it says itself. */
  immediate?: (i: number, insn: Insn) => bigint | undefined;
  /** What a call that is no call of a helper by number leads to. */
  callee?: (i: number, insn: Insn) => HelperFn | undefined;
  /** Where the pointer of the load or store at `i` leads; plain memory unless given. */
  pointerKind?: (i: number) => PointerKind;
  /** Target of the call of a function at `i`; as the instruction says unless given. */
  callTarget?: (i: number, insn: Insn) => number | undefined;
}

function stepOf(insn: Insn, kind: PointerKind): Step | undefined {
  let { code } = insn;
  switch (insnClass(code)) {
    case CLASS.ALU:
    case CLASS.ALU64:
      return ALU_STEPS.get(code)?.(insn);
    case CLASS.JMP:
    case CLASS.JMP32:
      return JUMP_STEPS.get(code)?.(insn);
    default: {
      const mode = insnMode(code);
      code += memoryMode(insn, kind) - mode;
      return (ATOMIC_STEPS.get(code) ?? MEMORY_STEPS.get(code))?.(insn);
    }
  }
}

/** Functions are named by the number of their first instruction, as pointers that only helpers get to see. */
const FUNCTION_BASE = 0xffffffffc0000000n;
const INSN_SHIFT = 3n;

/** The value that a pointer to the function at `pc` has in running programs. */
export const functionAddress = (pc: number): bigint => FUNCTION_BASE + (BigInt(pc) << INSN_SHIFT);
/** Start of the function that such a pointer names. */
export const functionAt = (address: bigint): number => Number((address - FUNCTION_BASE) >> INSN_SHIFT);

function wideImmediate(source: ProgramSource, i: number, insn: Insn): bigint {
  const given = source.immediate?.(i, insn);
  if (given !== undefined) return given;
  if (insn.src === PSEUDO.FUNC) return functionAddress(source.callTarget?.(i, insn) ?? i + insn.imm + 1);
  return imm64(source.insns, i);
}

function targetOf(source: ProgramSource, i: number, insn: Insn): number {
  const { code, off, imm, src } = insn;
  const op = insnOp(code);
  if (op === JMP.CALL) return src === CALL_KIND.PSEUDO ? (source.callTarget?.(i, insn) ?? i + imm + 1) : 0;
  return i + 1 + (op === JMP.JA && insnClass(code) === CLASS.JMP32 ? imm : off);
}

function helperOf(source: ProgramSource, i: number, insn: Insn): HelperFn | undefined {
  const special = source.callee?.(i, insn);
  if (special !== undefined || insn.src !== CALL_KIND.HELPER) return special;
  const name: HelperName | undefined = HELPERS[insn.imm];
  if (name === undefined) return undefined;
  return source.helpers?.findLast((table) => table[name] !== undefined)?.[name];
}

/** Code that nothing leads to need not mean anything. */
const cannotRun: Step = (m) => {
  throw m.fault('an instruction that does not exist');
};

function decode(source: ProgramSource, i: number): Op {
  const insn = source.insns[i];
  const { code, dst, src, off, imm } = insn;
  const step = stepOf(insn, source.pointerKind?.(i) ?? 'plain') ?? cannotRun;
  const kind = insnClass(code);
  const jumps = kind === CLASS.JMP || kind === CLASS.JMP32;
  return {
    step,
    dst,
    src,
    off,
    imm: code === LDIMM64 ? wideImmediate(source, i, insn) : BigInt.asUintN(64, BigInt(imm)),
    imm32: imm,
    target: jumps ? targetOf(source, i, insn) : 0,
    size: sizeBytes(code),
    helper: jumps && insnOp(code) === JMP.CALL ? helperOf(source, i, insn) : undefined,
  };
}

/** Makes a program ready. */
export function prepare(source: ProgramSource): Code {
  const ops: (Op | undefined)[] = [];
  for (let i = 0; i < source.insns.length; i++) {
    ops.push(decode(source, i));
    if (source.insns[i].code === LDIMM64) {
      i++;
      ops.push(undefined);
    }
  }
  return { name: source.name, ops };
}
