// What the emitter knows of the function it compiles, and what it carries from one pass to the next.
import type { Insn } from '../../../isa/insn.ts';
import type { KernelImage } from '../../image/image.ts';
import type { ArenaRange, ExceptionEntry, JitFunctionInput, JitInput } from '../jit.ts';
import { giveUp } from './give-up.ts';
import { ARENA_BASE, FP, MACHINE_REG, PRIVATE_STACK, SAVED_BPF } from './registers.ts';
import { type Arm64Settings, arm64Settings } from './settings.ts';

/** Bytes of an instruction. */
export const WORD_BYTES = 4;
/** Bytes of guard on either end of a private stack. */
export const PRIVATE_STACK_GUARD = 16;

const BPF_FP = 10;

export const roundUp16 = (n: number): number => (n + 15) & ~15;

/** An instruction with machine registers instead of BPF's. */
export interface Op {
  readonly code: number;
  readonly dst: number;
  readonly src: number;
  readonly off: number;
  readonly imm: number;
  /** Immediate of the second slot of a 64-bit constant, 0 else. */
  readonly high: number;
  /** `src` as BPF has it: the kind of a call or of a 64-bit constant. */
  readonly kind: number;
  /** Place among the instructions, from 0. */
  readonly index: number;
}

/** Emits one instruction. */
export type Emit = (frame: Frame, op: Op) => void;
/** Emitters by opcode byte. */
export type Emitters = Map<number, Emit>;

/** One function on its way through the passes. Offsets count words from the start of the image. */
export class Frame {
  readonly input: JitFunctionInput;
  readonly image: KernelImage;
  readonly settings: Arm64Settings;
  readonly arena: ArenaRange | undefined;
  readonly classic: boolean;
  readonly clearBranchHistory: boolean;
  readonly ops: readonly Op[];
  /** Machine registers that the prologue pushes, of functions that are neither boundary nor callback. */
  readonly saved: readonly number[];
  /** The frame pointer is set up. */
  readonly usesFp: boolean;
  /** Per-CPU pointer to the private stack, guards included. */
  readonly privateStack: bigint | undefined;
  /** Bytes of stack, rounded. */
  readonly stackSize: number;

  /** Words emitted in this pass. */
  words: number[] = [];
  /** offsets[i] is where instruction i begins, the last one where the epilogue does. */
  readonly offsets: Int32Array;
  epilogue = 0;
  /** Address of the image; undefined while only the greatest size is sought. */
  base: bigint | undefined = undefined;
  /** Addresses of all functions of the program, once they are known. */
  functions: readonly bigint[] | undefined = undefined;
  exceptions: ExceptionEntry[] = [];

  constructor(input: JitFunctionInput, program: JitInput, privateStack: bigint | undefined) {
    this.input = input;
    this.image = program.image;
    this.settings = arm64Settings(program.image);
    this.arena = program.arena;
    this.classic = program.classic ?? false;
    this.clearBranchHistory = program.clearBranchHistory ?? false;
    this.privateStack = privateStack;
    this.stackSize = roundUp16(input.stackDepth);
    this.ops = input.insns.map((x, i) => decode(x, input.insns[i + 1], i));
    const mentions = (reg: number): boolean => input.insns.some((x) => x.dst === reg || x.src === reg);
    const ownFrame = !input.exceptionCallback;
    this.usesFp = ownFrame && (input.exceptionBoundary || mentions(BPF_FP));
    this.saved = ownFrame && !input.exceptionBoundary ? this.savedRegisters(mentions) : [];
    this.offsets = new Int32Array(input.insns.length + 1);
  }

  /** rule: find_used_callee_regs: any mention counts, also in a field that the instruction does not use. */
  private savedRegisters(mentions: (reg: number) => boolean): number[] {
    const saved = SAVED_BPF.filter(([bpf]) => mentions(bpf)).map(([, machine]) => machine);
    if (mentions(BPF_FP)) {
      saved.push(FP);
      if (this.privateStack !== undefined) saved.push(PRIVATE_STACK);
    }
    if (this.hasArena) saved.push(ARENA_BASE);
    return saved;
  }

  get hasArena(): boolean {
    return this.arena !== undefined && this.arena.kernStart !== 0n;
  }

  /** Words emitted so far. */
  get at(): number {
    return this.words.length;
  }

  emit(...words: number[]): void {
    for (const word of words) this.words.push(word >>> 0);
  }

  /** Address of the word to be emitted next; undefined while the image has none. */
  get pc(): bigint | undefined {
    return this.base === undefined ? undefined : this.base + BigInt(this.at * WORD_BYTES);
  }

  /** Words from the branch at the end of instruction `index` to the one `off` after it. */
  branchDistance(index: number, off: number): number {
    const target = this.offsets[index + 1 + off];
    if (target === undefined) throw giveUp('a jump leaves the function');
    return target - (this.offsets[index + 1] - 1);
  }

  /** Address of a kernel symbol that the code refers to. */
  symbol(name: string): bigint {
    const address = this.image.symbolAddress(name);
    if (address === undefined) throw giveUp(`the kernel image has no symbol ${name}`);
    return address;
  }
}

function machineReg(reg: number): number {
  const machine = MACHINE_REG[reg];
  if (machine === undefined) throw giveUp(`there is no register ${reg}`);
  return machine;
}

const decode = (x: Insn, next: Insn | undefined, index: number): Op => ({
  code: x.code,
  dst: machineReg(x.dst),
  src: machineReg(x.src),
  off: x.off,
  imm: x.imm,
  high: next?.imm ?? 0,
  kind: x.src,
  index,
});
