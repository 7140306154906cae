// How taint, and knowledge of where pointers come from, go through one instruction.
import type { Insn } from '../../../isa/insn.ts';
import {
  ALU,
  ATOMIC,
  CALL_KIND,
  CLASS,
  insnClass,
  insnMode,
  insnOp,
  insnSrc,
  JMP,
  MODE,
  SRC,
  sizeBytes,
} from '../../../isa/opcode.ts';
import { plainId, REG, type RegState } from '../../verifier/types.ts';
import { STACK_BYTES } from '../machine.ts';
import type { ClaimNode } from './graph.ts';
import { newFrameTaint, type Taint } from './taint.ts';

/** Bytes of the stack of one of the claim's frames: `at` counts downwards from the top and names the highest byte. */
export interface StackBytes {
  frame: number;
  at: number;
  size: number;
}

/** What the machine knows of an instruction before it runs. */
export interface Situation {
  readonly insn: Insn;
  readonly node: ClaimNode;
  /** The stack bytes that a load, store or atomic operation touches; undefined: other memory. */
  readonly touched: StackBytes | undefined;
  /** The call enters a function whose claims go on in the caller's. */
  readonly entersFunction: boolean;
  /** What Linux itself claims wrongly (see `claimedWrongly`) counts as tainted. */
  readonly excuses: boolean;
}

const CALLER_SAVED = 0b111111;
const ARGUMENTS = 0b111110;

const bit = (reg: number): number => 1 << reg;

function setReg(taint: Taint, reg: number, tainted: boolean): void {
  const frame = taint[taint.length - 1];
  frame.regs = tainted ? frame.regs | bit(reg) : frame.regs & ~bit(reg);
}

const isTainted = (taint: Taint, reg: number): boolean => (taint[taint.length - 1].regs & bit(reg)) !== 0;

function readStack(taint: Taint, touched: StackBytes | undefined): boolean {
  if (touched === undefined) return false;
  const { stack } = taint[touched.frame];
  for (let i = 0; i < touched.size; i++) if (stack[touched.at + i] !== 0) return true;
  return false;
}

function writeStack(taint: Taint, touched: StackBytes | undefined, tainted: boolean): void {
  if (touched === undefined) return;
  taint[touched.frame].stack.fill(tainted ? 1 : 0, touched.at, touched.at + touched.size);
}

/** What shares an id with a register: the jump tells the same about it. */
function taintLinked(taint: Taint, node: ClaimNode, id: number): void {
  if (id === 0) return;
  const same = (reg: RegState): boolean => reg.type === REG.SCALAR && plainId(reg.id) === id;
  node.frames.forEach((frame, f) => {
    frame.regs.forEach((reg, r) => {
      if (same(reg)) taint[f].regs |= bit(r);
    });
    frame.stack.forEach((slot, i) => {
      if (i * 8 < STACK_BYTES && same(slot.spilled)) taint[f].stack.fill(1, i * 8, i * 8 + 8);
    });
  });
}

/** A jump tells something about both sides; where one is tainted, what it tells is worth nothing. */
function compare({ insn, node }: Situation, taint: Taint): void {
  const { code, dst, src } = insn;
  const register = insnSrc(code) === SRC.X;
  if (!isTainted(taint, dst) && !(register && isTainted(taint, src))) return;
  const { regs } = node.frames[node.frames.length - 1];
  for (const r of register ? [dst, src] : [dst]) {
    if (regs[r].type !== REG.SCALAR) continue;
    setReg(taint, r, true);
    taintLinked(taint, node, plainId(regs[r].id));
  }
}

function arithmetic(insn: Insn, taint: Taint): void {
  const { code, dst, src } = insn;
  const op = insnOp(code);
  if (op === ALU.NEG || op === ALU.END) return;
  const fromSource = insnSrc(code) === SRC.X && isTainted(taint, src);
  setReg(taint, dst, op === ALU.MOV ? fromSource : fromSource || isTainted(taint, dst));
}

function atomic({ insn, touched }: Situation, taint: Taint): void {
  const { dst, src, imm } = insn;
  const old = readStack(taint, touched);
  if (imm === ATOMIC.LOAD_ACQ) {
    setReg(taint, dst, old);
    return;
  }
  writeStack(taint, touched, imm === ATOMIC.STORE_REL && isTainted(taint, src));
  if (imm === ATOMIC.CMPXCHG) setReg(taint, 0, old);
  else if (imm !== ATOMIC.STORE_REL && (imm & ATOMIC.FETCH) !== 0) setReg(taint, src, old);
}

function leave(taint: Taint): void {
  const tainted = isTainted(taint, 0);
  taint.pop();
  if (taint.length > 0) setReg(taint, 0, tainted);
}

function call({ insn, entersFunction }: Situation, taint: Taint): void {
  const frame = taint[taint.length - 1];
  if (insn.src === CALL_KIND.PSEUDO && entersFunction) taint.push(newFrameTaint(frame.regs & ARGUMENTS));
  frame.regs &= ~CALLER_SAVED;
}

/**
 * A load that extends the sign of a number spilled in 8 bytes keeps the id of that number, as if both were equal; they
 * are not when the sign is set. rule: check_stack_read_fixed_off, 6.18
 */
function claimedWrongly({ insn, node, touched }: Situation): boolean {
  if (touched === undefined || insnMode(insn.code) !== MODE.MEMSX) return false;
  return (node.frames[touched.frame].stack[touched.at >> 3]?.spilled.id ?? 0) !== 0;
}

type Transfer = (situation: Situation, taint: Taint) => void;

function jump(situation: Situation, taint: Taint): void {
  const op = insnOp(situation.insn.code);
  if (op === JMP.CALL) call(situation, taint);
  else if (op === JMP.EXIT) leave(taint);
  else if (op !== JMP.JA && op !== JMP.JCOND) compare(situation, taint);
}

function loadSpecial({ insn }: Situation, taint: Taint): void {
  if (insnMode(insn.code) === MODE.IMM) setReg(taint, insn.dst, false);
  else taint[taint.length - 1].regs &= ~CALLER_SAVED;
}

const BY_CLASS: Readonly<Record<number, Transfer>> = {
  [CLASS.ALU]: ({ insn }, taint) => arithmetic(insn, taint),
  [CLASS.ALU64]: ({ insn }, taint) => arithmetic(insn, taint),
  [CLASS.LD]: loadSpecial,
  [CLASS.LDX]: (situation, taint) => {
    const { insn, touched, excuses } = situation;
    setReg(taint, insn.dst, readStack(taint, touched) || (excuses && claimedWrongly(situation)));
  },
  [CLASS.ST]: ({ touched }, taint) => writeStack(taint, touched, false),
  [CLASS.STX]: (situation, taint) => {
    const { insn, touched } = situation;
    if (insnMode(insn.code) === MODE.ATOMIC) atomic(situation, taint);
    else writeStack(taint, touched, isTainted(taint, insn.src));
  },
  [CLASS.JMP]: jump,
  [CLASS.JMP32]: jump,
};

/** Changes `taint` from before the instruction to after it. */
export const transferTaint: Transfer = (situation, taint) => BY_CLASS[insnClass(situation.insn.code)](situation, taint);

/** A pointer whose base is found from what is first claimed of it. */
export const FRESH = -1n;

/** Where the pointers of one frame come from: a base address, FRESH, or undefined: not known. */
export interface FrameBases {
  regs: (bigint | undefined)[];
  /** By slot. */
  stack: (bigint | undefined)[];
}

export const newFrameBases = (): FrameBases => ({ regs: new Array(11).fill(FRESH), stack: [] });

function baseOfSum(insn: Insn, regs: readonly (bigint | undefined)[]): bigint | undefined {
  const { code, dst, src } = insn;
  const op = insnOp(code);
  const source = insnSrc(code) === SRC.X ? regs[src] : undefined;
  if (insnClass(code) !== CLASS.ALU64) return undefined;
  if (op === ALU.MOV) return insn.off === 0 ? source : undefined;
  if (op === ALU.ADD) return regs[dst] ?? source;
  return op === ALU.SUB && source === undefined ? regs[dst] : undefined;
}

type BaseTransfer = (situation: Situation, frames: FrameBases[]) => void;

const innermost = (frames: FrameBases[]): FrameBases => frames[frames.length - 1];

/** The slot where all of it is touched. */
const wholeSlot = (touched: StackBytes): number | undefined =>
  touched.size === 8 && touched.at % 8 === 0 ? touched.at >> 3 : undefined;

function loadedBase({ insn, touched }: Situation, frames: FrameBases[]): bigint | undefined {
  if (touched === undefined) return sizeBytes(insn.code) >= 4 ? FRESH : undefined;
  const slot = wholeSlot(touched);
  return slot === undefined ? undefined : frames[touched.frame].stack[slot];
}

function storeBase({ touched }: Situation, frames: FrameBases[], base: bigint | undefined): void {
  if (touched === undefined) return;
  const slot = wholeSlot(touched);
  frames[touched.frame].stack[touched.at >> 3] = slot === undefined ? undefined : base;
}

function atomicBases(situation: Situation, frames: FrameBases[]): void {
  const { imm, dst, src } = situation.insn;
  const { regs } = innermost(frames);
  const loaded = loadedBase(situation, frames);
  if (imm === ATOMIC.LOAD_ACQ) {
    regs[dst] = loaded;
    return;
  }
  storeBase(situation, frames, imm === ATOMIC.STORE_REL ? regs[src] : undefined);
  if (imm === ATOMIC.CMPXCHG) regs[0] = loaded;
  else if (imm !== ATOMIC.STORE_REL && (imm & ATOMIC.FETCH) !== 0) regs[src] = loaded;
}

function jumpBases({ insn, entersFunction }: Situation, frames: FrameBases[]): void {
  const { regs } = innermost(frames);
  const op = insnOp(insn.code);
  if (op === JMP.EXIT) {
    frames.pop();
    if (frames.length > 0) innermost(frames).regs[0] = regs[0];
  } else if (op === JMP.CALL) {
    if (insn.src === CALL_KIND.PSEUDO && entersFunction) {
      const callee = newFrameBases();
      for (let r = 1; r <= 5; r++) callee.regs[r] = regs[r];
      frames.push(callee);
    }
    regs.fill(FRESH, 0, 6);
  }
}

const setSum: BaseTransfer = ({ insn }, frames) => {
  const { regs } = innermost(frames);
  regs[insn.dst] = baseOfSum(insn, regs);
};

const BASES_BY_CLASS: Readonly<Record<number, BaseTransfer>> = {
  [CLASS.ALU]: setSum,
  [CLASS.ALU64]: setSum,
  [CLASS.LD]: ({ insn }, frames) => {
    innermost(frames).regs[insnMode(insn.code) === MODE.IMM ? insn.dst : 0] = FRESH;
  },
  [CLASS.LDX]: (situation, frames) => {
    innermost(frames).regs[situation.insn.dst] = loadedBase(situation, frames);
  },
  [CLASS.ST]: (situation, frames) => storeBase(situation, frames, undefined),
  [CLASS.STX]: (situation, frames) => {
    const { code, src } = situation.insn;
    if (insnMode(code) === MODE.ATOMIC) atomicBases(situation, frames);
    else storeBase(situation, frames, innermost(frames).regs[src]);
  },
  [CLASS.JMP]: jumpBases,
  [CLASS.JMP32]: jumpBases,
};

/** Changes `frames`, those of the claim, from before the instruction to after it. */
export const transferBases: BaseTransfer = (situation, frames) =>
  BASES_BY_CLASS[insnClass(situation.insn.code)](situation, frames);
