// One program in the making: where it stands, and the choices of registers, numbers and memory that all actions share.
import { Assembler, type Label } from './asm.ts';
import type { Caps } from './program.ts';
import type { ProgramKind } from './program-kinds.ts';
import type { Rng } from './rng.ts';
import {
  isBounded,
  isNullable,
  isPointer,
  known,
  NONE,
  type ScalarValue,
  State,
  stackReadable,
  stackWritable,
  touchStack,
  UNKNOWN,
  type Value,
  type ValueKind,
} from './values.ts';
import { type GeneratorMap, MAPS, type MapName, mapIndex, WORLD_MAPS } from './world.ts';

/** A function that is called and still has to be written. */
export interface PendingFunction {
  label: Label;
  /** Name in the world's BTF; undefined: none is needed. */
  name: string;
  args: readonly Value[];
  /** What it may return; undefined: anything. */
  returns: { min: number; max: number } | undefined;
  /** Deepest chain of calls that leads here. */
  depth: number;
  /** Bytes of stack that it may use. */
  stackBytes: number;
  /** Verified by itself, with what its prototype says. */
  global: boolean;
  /** Called by the kernel. */
  callback: boolean;
}

const EDGES = [0, 1, -1, 2, 7, 8, 15, 16, 31, 32, 33, 63, 64, 127, 128, 255, 256, 4095, 0x7fff, 0xffff, 0x7fffffff];

export const FP = 10;
const MAX_ID = 1 << 20;

export class Generator {
  readonly asm = new Assembler();
  readonly rng: Rng;
  readonly kind: ProgramKind;
  state: State;
  /** Probability that a choice ignores what it knows. */
  readonly mistakes: number;
  /** Instructions that may still be written, roughly. */
  budget: number;
  /** Registers that actions should leave alone. */
  readonly pinned = new Set<number>();
  /** Functions already begun, the main one included. */
  readonly functions: PendingFunction[] = [];
  readonly queue: PendingFunction[] = [];
  /** The function being written. */
  current: PendingFunction;
  /** Blocks around the one being written. */
  nesting = 0;
  /** Ends of the blocks around this one after which something is given back. */
  readonly escapes: Escape[] = [];
  /** Places of the stack that hold dynptrs. */
  readonly dynptrs: number[] = [];
  /** How often the code being written runs, roughly. */
  repeats = 1;
  /** Loads with names of functions, which some calls demand. */
  readonly withBtf: boolean;
  /** Functions that sleep may be called here. */
  sleepable: boolean;
  readonly caps: Caps;
  private ids = 1;

  constructor(rng: Rng, kind: ProgramKind, main: PendingFunction, state: State, options: Options) {
    this.rng = rng;
    this.kind = kind;
    this.current = main;
    this.functions.push(main);
    this.state = state;
    this.mistakes = options.mistakes;
    this.budget = options.budget;
    this.withBtf = options.withBtf;
    this.sleepable = options.sleepable;
    this.caps = options.caps;
  }

  /** Begins to write a function that something calls. */
  enter(next: PendingFunction): void {
    this.asm.place(next.label);
    this.current = next;
    this.state = State.fresh(next.stackBytes);
    for (const [i, value] of next.args.entries()) this.set(i + 1, value);
    this.pinned.clear();
    this.dynptrs.length = 0;
    this.nesting = 0;
    this.repeats = 4;
    this.budget = Math.max(this.budget, 12);
  }

  newId(): number {
    return this.ids++ % MAX_ID;
  }

  mistake(): boolean {
    return this.mistakes > 0 && this.rng.chance(this.mistakes);
  }

  /** Where writing stands, to come back to with rewind(). */
  mark(): Mark {
    return { ...this.asm.mark(), functions: this.functions.length, queue: this.queue.length };
  }

  rewind(mark: Mark): void {
    this.asm.rewind(mark);
    this.functions.length = mark.functions;
    this.queue.length = mark.queue;
  }

  value(reg: number): Value {
    return this.state.regs[reg];
  }

  /** Registers 0–9 whose value passes. */
  regs(test: (value: Value, reg: number) => boolean): number[] {
    const out: number[] = [];
    for (let reg = 0; reg < FP; reg++) if (test(this.state.regs[reg], reg)) out.push(reg);
    return out;
  }

  anyReg(): number {
    return this.rng.below(11);
  }

  /** One of the registers that pass; undefined where there is none. Sometimes wrong. */
  findReg(test: (value: Value, reg: number) => boolean): number | undefined {
    if (this.mistake()) return this.anyReg();
    const list = this.regs(test);
    return list.length ? this.rng.pick(list) : undefined;
  }

  findKind(kind: ValueKind): number | undefined {
    return this.findReg((value) => value.kind === kind && !isNullable(value));
  }

  /** A register whose content is no loss. */
  freeReg(avoid: readonly number[] = []): number {
    if (this.mistake()) return this.rng.below(FP);
    const usable = this.regs((_, reg) => !this.pinned.has(reg) && !avoid.includes(reg));
    const idle = usable.filter((reg) => !isPointer(this.state.regs[reg]));
    const empty = usable.filter((reg) => this.state.regs[reg] === NONE);
    if (empty.length && this.rng.chance(0.5)) return this.rng.pick(empty);
    if (idle.length && this.rng.chance(0.9)) return this.rng.pick(idle);
    return usable.length ? this.rng.pick(usable) : this.rng.below(FP);
  }

  /** A register that calls do not clobber, for something to be kept. */
  savedReg(avoid: readonly number[] = []): number {
    const free = [6, 7, 8, 9].filter((reg) => !this.pinned.has(reg) && !avoid.includes(reg));
    const idle = free.filter((reg) => !isPointer(this.state.regs[reg]));
    if (idle.length) return this.rng.pick(idle);
    return free.length ? this.rng.pick(free) : this.freeReg(avoid);
  }

  set(reg: number, value: Value): void {
    if (reg < FP) this.state.regs[reg] = value;
  }

  /** A number of 32 bits that is likely to mean something. */
  imm(): number {
    const { rng } = this;
    const kind = rng.below(10);
    if (kind < 4) return rng.between(0, 16);
    if (kind < 7) return rng.pick(EDGES);
    if (kind < 8) return -rng.pick(EDGES);
    if (kind < 9) return (1 << rng.below(32)) + rng.between(-1, 1);
    return rng.next() | 0;
  }

  imm64(): bigint {
    const { rng } = this;
    const kind = rng.below(4);
    if (kind === 0) return BigInt(this.imm());
    if (kind === 1) return (1n << BigInt(rng.below(64))) + BigInt(rng.between(-1, 1));
    if (kind === 2) return BigInt(this.imm()) << 32n;
    return (BigInt(rng.next()) << 32n) | BigInt(rng.next());
  }

  /** Writes a number into a register. */
  setNumber(reg: number, value: number): void {
    this.asm.movImm(reg, value);
    this.set(reg, known(value));
  }

  /** A register with a number in it: one that is there, or a new one. */
  scalarReg(test: (value: ScalarValue) => boolean = () => true, avoid: readonly number[] = []): number {
    const found = this.findReg((v, reg) => v.kind === 'scalar' && test(v) && !avoid.includes(reg));
    if (found !== undefined && this.rng.chance(0.9)) return found;
    const reg = this.freeReg(avoid);
    this.setNumber(reg, this.imm());
    return reg;
  }

  /** The same, of the registers that may be changed. */
  changeableScalar(test: (value: ScalarValue) => boolean = () => true): number {
    return this.scalarReg(test, [...this.pinned]);
  }

  /** A register with a number in [0, limit], made so by masking or comparing where there is none. */
  boundedReg(limit: number, avoid: readonly number[] = []): number {
    const found = this.findReg((v, reg) => isBounded(v, limit) && v.min !== v.max && !avoid.includes(reg));
    if (found !== undefined) return found;
    const reg = this.scalarReg((v) => v.max > limit, [...avoid, ...this.pinned]);
    if (this.pinned.has(reg) || this.value(reg).kind !== 'scalar') return reg;
    this.bound(reg, limit);
    return reg;
  }

  /** Makes the number in a register lie in [0, limit]. */
  bound(reg: number, limit: number): void {
    const { asm, rng } = this;
    const now = this.value(reg);
    if (isBounded(now, limit)) return;
    const bits = 2 ** Math.floor(Math.log2(limit + 1)) - 1;
    const wide = rng.chance(0.7);
    if (bits >= 0 && rng.chance(0.6)) {
      asm.aluImm(0x50, reg, bits, wide);
      this.set(reg, { kind: 'scalar', min: 0, max: bits });
      return;
    }
    const fits = asm.label();
    asm.jumpImm(0xb0, reg, limit, fits);
    if (rng.chance(0.5)) asm.movImm(reg, rng.between(0, limit));
    else this.leave();
    asm.place(fits);
    this.set(reg, { kind: 'scalar', min: 0, max: limit });
  }

  /** Gives up here: ends the function with a fitting result, or goes where what is held is given back. */
  leave(): void {
    const around = this.escapes.at(-1);
    if (around !== undefined && !this.mistake()) {
      this.asm.jump(around.label);
      around.states.push(this.state.clone());
      return;
    }
    const { min, max } = this.current.returns ?? { min: 0, max: 16 };
    this.asm.movImm(0, this.mistake() ? this.imm() : this.rng.between(min, Math.min(max, min + 8)));
    this.asm.exit();
  }

  /** Forgets what a call clobbers. */
  clobber(): void {
    for (let reg = 0; reg <= 5; reg++) this.state.regs[reg] = NONE;
  }

  /** Offset of `size` initialised bytes of the stack, which are initialised here if need be; undefined: no room. */
  stackBuffer(size: number, options: { init: boolean; align?: number }): number | undefined {
    const { state, rng, asm } = this;
    const align = options.align ?? (size >= 8 ? 8 : size);
    const room = state.stack.length * 8;
    if (size > room) return undefined;
    for (let attempt = 0; attempt < 4; attempt++) {
      const off = -(size + align * rng.below(Math.floor((room - size) / align) + 1));
      const start = Math.floor(off / align) * align;
      if (start < -room || !stackWritable(state, start, size)) continue;
      if (!options.init) return start;
      if (!stackReadable(state, start, size)) {
        for (let at = start; at < start + size; ) {
          let step = 8;
          while (at % step !== 0 || at + step > start + size) step >>= 1;
          const source = rng.chance(0.3) ? this.findKind('scalar') : undefined;
          if (source !== undefined && source < FP) asm.store(step, FP, at, source);
          else asm.storeImm(step, FP, at, rng.chance(0.6) ? 0 : this.imm());
          at += step;
        }
        touchStack(state, start, size);
      }
      return start;
    }
    return undefined;
  }

  /** Puts the address of a stack byte into a register. */
  stackAddress(reg: number, off: number): void {
    this.asm.mov(reg, FP);
    if (off !== 0) this.asm.aluImm(0, reg, off);
    this.set(reg, { kind: 'stack', off, vary: 0 });
  }

  mapOf(index: number): GeneratorMap {
    return WORLD_MAPS[index];
  }

  loadMap(reg: number, name: MapName): void {
    this.asm.map(reg, mapIndex(name));
    this.set(reg, { kind: 'map', map: mapIndex(name) });
  }

  mapNamed(name: MapName): GeneratorMap {
    return MAPS[name];
  }

  unknown(): Value {
    return UNKNOWN;
  }
}

/** A place that paths may jump to, and what they come with. */
export interface Escape {
  label: Label;
  states: State[];
}

export interface Mark {
  insns: number;
  fixups: number;
  functions: number;
  queue: number;
}

export interface Options {
  mistakes: number;
  budget: number;
  withBtf: boolean;
  sleepable: boolean;
  caps: Caps;
}
