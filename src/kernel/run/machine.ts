// The machine that programs run on: registers, frames, memory, and what helpers may ask for.
import type { KernelImage } from '../image/image.ts';
import { Memory, type Region, RunFault } from './memory.ts';
import { type RandomSource, randomSource64 } from './random.ts';
import type { RunMap } from './run-map.ts';

/**
 * A helper or kernel function: takes r1 to r5 unsigned, gives r0, of which 64 bits count (negative errnos may be given
 * as they are). Throws RunFault where Linux could not go on.
 */
export type HelperFn = (m: Machine, r1: bigint, r2: bigint, r3: bigint, r4: bigint, r5: bigint) => bigint;

/** One instruction made ready to run. */
export interface Op {
  readonly step: Step;
  readonly dst: number;
  readonly src: number;
  readonly off: number;
  /** Sign-extended to 64 bits and unsigned again; of a 64-bit immediate the whole value. */
  readonly imm: bigint;
  readonly imm32: number;
  /** Where jumps and calls go. */
  readonly target: number;
  readonly size: number;
  readonly helper: HelperFn | undefined;
}

/** Executes an instruction; `m.pc` stands behind it already. */
export type Step = (m: Machine, op: Op) => void;

/** What a context region's owner may know: the packet behind it. */
export interface PacketOwner {
  /** Bytes at `offset`, which may be negative as in the old loads; undefined where the packet has none. */
  packetBytes(offset: number, size: number): Uint8Array | undefined;
}

const hasPacket = (owner: unknown): owner is PacketOwner =>
  typeof owner === 'object' && owner !== null && 'packetBytes' in owner;

/** A program that has been made ready (see program.ts). */
export interface Code {
  readonly name: string;
  readonly ops: readonly (Op | undefined)[];
}

/** What a call must come back to. */
export interface Frame {
  code: Code;
  /** Where the caller goes on; -1: the run ends with this frame. */
  returnTo: number;
  /** r6 to r9 of the caller. */
  readonly saved: BigUint64Array;
  readonly stack: Region;
  /** Iterations of may_goto that are left. */
  mayGoto: number;
}

export interface MachineOptions {
  /** Where structs of the kernel lie is asked of it; needed by finished programs only. */
  image?: KernelImage;
  /** Number of the CPU that programs see; 0 unless given. */
  cpu?: number;
  possibleCpus?: number;
  /** Nanoseconds since boot as all clocks tell them; a function so that time can pass. */
  now?: () => bigint;
  /** Source of get_prandom_u32; seeded with 1 unless given. */
  random?: RandomSource;
  /** Instructions after which a run is given up with RunFault; ten million unless given. */
  stepLimit?: number;
  /** Iterations of a may_goto loop. rule: BPF_MAX_LOOPS, 6.18 */
  mayGotoLimit?: number;
  /** Fills the stack of a frame that is used for the first time; zeroes unless given. */
  newStack?: (bytes: Uint8Array) => void;
  /** Called before each instruction. */
  observer?: (m: Machine) => void;
}

/** MAX_BPF_STACK, and room for what patterns of fast calls and rewriting put below. */
export const STACK_BYTES = 512 + 64;
/** rule: MAX_CALL_FRAMES counts frames at verification; running ones are fewer, callbacks may add theirs. */
const MAX_FRAMES = 64;
const MAX_STEPS = 10_000_000;
const MAX_LOOPS = 8 * 1024 * 1024;
/** r0 to r10, and the scratch register of rewritten programs (BPF_REG_AX). */
const REGISTERS = 12;
/** rule: MAX_TAIL_CALL_CNT, 6.18 */
const MAX_TAIL_CALLS = 33;
/** Far more than the per-CPU memory of one CPU. */
const PER_CPU_DISTANCE = 0x100_0000_0000n;
export const R0 = 0;
export const FP = 10;

export class Machine {
  readonly memory: Memory = new Memory();
  /** r0 to r10 and the scratch register, once as unsigned and once as signed numbers. */
  readonly regs: BigUint64Array;
  readonly signed: BigInt64Array;
  /** Halves: those of register n are 2n (low) and 2n + 1. */
  readonly halves: Uint32Array;
  readonly signedHalves: Int32Array;
  /** Next instruction of `code`. */
  pc = 0;
  code: Code = { name: '', ops: [] };
  /** Outermost first. */
  readonly frames: Frame[] = [];
  /** Instructions executed so far. */
  steps = 0;
  tailCalls = 0;
  cpu: number;
  readonly possibleCpus: number;
  readonly image: KernelImage | undefined;
  readonly random: RandomSource;
  now: () => bigint;
  stepLimit: number;
  mayGotoLimit: number;
  observer: ((m: Machine) => void) | undefined;
  /** Maps by the address of their struct bpf_map. */
  readonly maps: Map<bigint, RunMap> = new Map();
  /** Lines of trace_printk and its like. */
  readonly trace: string[] = [];
  /** What helpers of a family keep between calls, by a key that is theirs. */
  readonly state: Map<unknown, unknown> = new Map();
  /** Where the pages of the program's arena begin, for user space and for the kernel. */
  arenaUserStart = 0n;
  arenaKernelStart = 0n;
  private readonly stacks: Region[] = [];
  private running = false;
  private readonly newStack: ((bytes: Uint8Array) => void) | undefined;
  /** What r1 pointed to when the run began. */
  contextAddress = 0n;

  constructor(options: MachineOptions = {}) {
    const buffer = new ArrayBuffer(REGISTERS * 8);
    this.regs = new BigUint64Array(buffer);
    this.signed = new BigInt64Array(buffer);
    this.halves = new Uint32Array(buffer);
    this.signedHalves = new Int32Array(buffer);
    this.image = options.image;
    this.cpu = options.cpu ?? 0;
    this.possibleCpus = options.possibleCpus ?? 1;
    this.now = options.now ?? (() => 1_000_000_000n);
    this.random = options.random ?? randomSource64(1n);
    this.stepLimit = options.stepLimit ?? MAX_STEPS;
    this.mayGotoLimit = options.mayGotoLimit ?? MAX_LOOPS;
    this.observer = options.observer;
    this.newStack = options.newStack;
  }

  /** The map whose struct lies at `address`. Throws RunFault where there is none. */
  map(address: bigint): RunMap {
    const map = this.maps.get(address);
    if (map === undefined) throw this.fault(`no map at 0x${address.toString(16)}`);
    return map;
  }

  /** A fault at the instruction that is being executed. */
  fault(message: string): RunFault {
    return new RunFault(message, this.pc - 1);
  }

  /** What pointers to per-CPU memory of CPU n are further away than the pointer for all CPUs. */
  perCpuOffset(cpu: number): bigint {
    return BigInt(cpu) * PER_CPU_DISTANCE;
  }

  /** Makes memory of this size for each CPU, and gives the pointer that has to be moved by perCpuOffset(). */
  perCpu(name: string, size: number, owner?: unknown): bigint {
    const first = this.memory.add({ name, size, owner });
    for (let cpu = 1; cpu < this.possibleCpus; cpu++) {
      this.memory.add({ name, size, base: first.base + this.perCpuOffset(cpu), owner });
    }
    return first.base;
  }

  /** Program in a slot of a program array; undefined where a tail call does not happen. Counts the call. */
  tailCallTarget(mapAddress: bigint, index: number): Code | undefined {
    const map = this.map(mapAddress);
    const key = new Uint8Array(4);
    new DataView(key.buffer).setUint32(0, index, true);
    const target = map.held?.(key) as Code | undefined;
    if (target === undefined || this.tailCalls >= MAX_TAIL_CALLS) return undefined;
    this.tailCalls++;
    return target;
  }

  /** Owner of the context that the run began with. */
  contextOwner(): unknown {
    return this.memory.find(this.contextAddress)?.owner;
  }

  /** Packet bytes as the old loads see them, by the context in r6. */
  packetBytes(context: bigint, offset: number, size: number): Uint8Array | undefined {
    const owner = this.memory.find(context)?.owner;
    return hasPacket(owner) ? owner.packetBytes(offset, size) : undefined;
  }

  get frame(): Frame {
    return this.frames[this.frames.length - 1];
  }

  /**
   * Runs a program with r1 pointing to `context`; gives r0. The machine can be used again afterwards, with all memory as
   * it was left. Throws RunFault.
   */
  run(code: Code, context: bigint): bigint {
    this.frames.length = 0;
    this.contextAddress = context;
    this.tailCalls = 0;
    this.running = false;
    this.code = code;
    return this.call(0, [context]);
  }

  /** Calls the function of the running program that begins at `pc`, as helpers do with callbacks; gives r0. */
  call(pc: number, args: readonly bigint[]): bigint {
    const { regs } = this;
    const back = this.pc;
    const { code } = this;
    this.enter(-1);
    for (let i = 0; i < 5; i++) regs[1 + i] = args[i] ?? 0n;
    this.pc = pc;
    this.go();
    this.pc = back;
    this.code = code;
    return regs[R0];
  }

  /** A new frame for a function that has to come back to `returnTo`. */
  enter(returnTo: number): void {
    const depth = this.frames.length;
    if (depth >= MAX_FRAMES) throw this.fault('too many frames');
    const stack = this.stackOf(depth);
    const { code, mayGotoLimit: mayGoto } = this;
    this.frames.push({ code, returnTo, saved: this.regs.slice(6, 11), stack, mayGoto });
    this.regs[FP] = stack.base + BigInt(STACK_BYTES);
  }

  private stackOf(depth: number): Region {
    const known = this.stacks[depth];
    if (known !== undefined) return known;
    const stack = this.memory.add({ name: `stack of frame ${depth}`, size: STACK_BYTES });
    this.newStack?.(stack.bytes);
    this.stacks[depth] = stack;
    return stack;
  }

  /** Ends the innermost frame. */
  leave(): void {
    const frame = this.frames.pop();
    if (frame === undefined) throw this.fault('no frame to leave');
    this.regs.set(frame.saved, 6);
    this.code = frame.code;
    this.pc = frame.returnTo;
    if (frame.returnTo < 0) this.running = false;
  }

  /** Executes until the frame ends that is now the innermost. */
  private go(): void {
    const outer = this.running;
    this.running = true;
    while (this.running) {
      const op = this.code.ops[this.pc];
      if (op === undefined) throw new RunFault(`no instruction at ${this.pc} of ${this.code.name}`, this.pc);
      if (this.steps++ >= this.stepLimit) throw new RunFault('too many instructions', this.pc);
      if (this.observer !== undefined) this.observer(this);
      this.pc++;
      op.step(this, op);
    }
    this.running = outer;
  }
}
