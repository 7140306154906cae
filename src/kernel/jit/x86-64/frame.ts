// What the emitter knows of the function it compiles, and what it carries from one pass to the next.
import { SysError } from '../../../errno.ts';
import type { Insn } from '../../../isa/insn.ts';
import type { CpuSettings, KernelImage } from '../../image/image.ts';
import type { ArenaRange, ExceptionEntry, JitFunctionInput, JitInput, PokeSite } from '../jit.ts';
import { Assembler } from './assembler.ts';
import { MACHINE_REG, PRIVATE_FRAME, R13, R14, R15, RBX } from './registers.ts';

/** An instruction with machine registers instead of BPF's. */
class DecodedInsn {
  code = 0;
  dst = 0;
  src = 0;
  off = 0;
  imm = 0;
  /** `src` as BPF has it: the kind of a call or of a 64-bit constant. */
  kind = 0;
  /** 1 for the first instruction: what addrs[] is indexed by. */
  index = 0;
}
export type Op = Readonly<DecodedInsn>;

/** Emits one instruction. */
export type Emit = (frame: Frame, op: Op) => void;
/** Emitters by opcode byte. */
export type Emitters = Map<number, Emit>;

/** Registers that the machine's calling convention makes a function save, in the order of pushing. */
const CALLEE_SAVED: readonly (readonly [bpf: number, machine: number])[] = [
  [6, RBX],
  [7, R13],
  [8, R14],
  [9, R15],
];
const ALL_SAVED = CALLEE_SAVED.map(([, machine]) => machine);

const BPF_FP = 10;

export const roundUp8 = (n: number): number => (n + 7) & ~7;

/** Bytes of guard on either end of a private stack. */
export const PRIVATE_STACK_GUARD = 8;

/** The way Linux gives up on a program: "not supported", whatever the cause. */
export const giveUp = (why: string): SysError => new SysError('ENOTSUPP', `x86-64 code generation: ${why}`);

/** One function on its way through the passes. */
export class Frame {
  readonly input: JitFunctionInput;
  readonly image: KernelImage;
  readonly cpu: CpuSettings;
  readonly arena: ArenaRange | undefined;
  readonly classic: boolean;
  readonly clearBranchHistory: boolean;
  /** Entries of the program's poke table. */
  readonly pokeCount: number;
  readonly asm: Assembler = new Assembler();
  /** References to other functions get their addresses before the last pass. */
  readonly insns: Insn[];
  private readonly op = new DecodedInsn();
  readonly saved: readonly number[];
  /** Per-CPU pointer to the private stack, guards included. */
  readonly privateStack: bigint | undefined;
  /** Bytes that the prologue takes from the machine stack, not rounded. */
  readonly stackDepth: number;

  /** addrs[i] is the offset where instruction i (counted from 0) begins; the last one is the length. */
  readonly addrs: Int32Array;
  /** Offset of the epilogue. */
  cleanup: number;
  /** Length of the last direct and indirect tail call seen: where their jumps to "out" go. */
  directTail = 0;
  indirectTail = 0;
  /** Address of the code; undefined while only sizes are sought. */
  base: bigint | undefined = undefined;
  /** From here on code may no longer shrink: jumps keep their size with no-ops. */
  padding = false;
  /** Offset where the instruction being emitted began. */
  start = 0;
  seenExit = false;
  exceptions: ExceptionEntry[] = [];
  pokes: PokeSite[] = [];

  constructor(input: JitFunctionInput, insns: Insn[], program: JitInput, privateStack: bigint | undefined) {
    this.input = input;
    this.image = program.image;
    this.cpu = program.image.cpu;
    this.arena = program.arena;
    this.classic = program.classic ?? false;
    this.clearBranchHistory = program.clearBranchHistory ?? false;
    this.pokeCount = program.pokeTable?.length ?? 0;
    this.insns = insns;
    this.privateStack = privateStack;
    this.stackDepth = privateStack === undefined ? input.stackDepth : 0;
    this.saved = input.exceptionBoundary ? ALL_SAVED : usedCalleeSaved(this.insns);
    this.addrs = new Int32Array(this.insns.length + 1);
    for (let i = 0; i < this.addrs.length; i++) this.addrs[i] = 64 * (i + 1);
    this.cleanup = 64 * this.addrs.length;
  }

  /** Instruction `i`, valid until the next call: programs of a million need no second form of each. */
  decode(i: number): Op {
    const { op } = this;
    const x = this.insns[i];
    op.code = x.code;
    op.dst = this.machineReg(x.dst);
    op.src = this.machineReg(x.src);
    op.off = x.off;
    op.imm = x.imm;
    op.kind = x.src;
    op.index = i + 1;
    return op;
  }

  private machineReg(reg: number): number {
    if (reg === BPF_FP && this.privateStack !== undefined) return PRIVATE_FRAME;
    const machine = MACHINE_REG[reg];
    if (machine === undefined) throw giveUp(`there is no register ${reg}`);
    return machine;
  }

  /** True of functions that keep r12: those that can throw, and users of an arena. */
  get savesR12(): boolean {
    return this.input.exceptionBoundary || this.arena !== undefined;
  }

  /** Bytes of the instruction at hand so far. */
  get emitted(): number {
    return this.asm.length - this.start;
  }

  /** Address of a kernel symbol that the code refers to. */
  symbol(name: string): bigint {
    const address = this.image.symbolAddress(name);
    if (address === undefined) throw giveUp(`the kernel image has no symbol ${name}`);
    return address;
  }

  /** rel32 operand from the end of itself to `target`; zero while only sizes are sought. */
  rel32(target: bigint): void {
    let delta = 0n;
    if (this.base !== undefined) {
      delta = BigInt.asIntN(64, target - (this.base + BigInt(this.asm.length + 4)));
      if (delta !== BigInt.asIntN(32, delta)) throw giveUp(`target 0x${target.toString(16)} is out of reach`);
    }
    this.asm.imm32(Number(delta));
  }

  /** jmp rel32. */
  jumpTo(target: bigint): void {
    this.asm.byte(0xe9);
    this.rel32(target);
  }

  /** Low half of the address of a per-CPU variable, as %gs:disp32 takes it. */
  gsOffset(name: string): number {
    return Number(BigInt.asIntN(32, this.symbol(name)));
  }
}

/** rule: detect_reg_usage: any mention counts, also in a field that the instruction does not use. */
const usedCalleeSaved = (insns: readonly Insn[]): number[] =>
  CALLEE_SAVED.filter(([bpf]) => insns.some((x) => x.dst === bpf || x.src === bpf)).map(([, machine]) => machine);
