// What the generator believes of registers and stack: rough, since it only decides which actions make sense.

/** A number: the range is that of the unsigned value; max is Infinity where nothing is known. */
export interface ScalarValue {
  kind: 'scalar';
  min: number;
  max: number;
}

/** A pointer into something with bytes: `off` is the known distance from its start, `vary` what may be added to it. */
interface Pointer {
  off: number;
  vary: number;
}

/** A pointer that may be null until it is compared; pointers of one id are compared together. */
interface MaybeNull {
  nullable: boolean;
  id: number;
}

export type Value =
  | { kind: 'none' }
  | ScalarValue
  | ({ kind: 'ctx' } & Pointer)
  | ({ kind: 'stack' } & Pointer)
  | { kind: 'map'; map: number }
  | ({ kind: 'value'; map: number } & Pointer & MaybeNull)
  | ({ kind: 'packet' | 'meta'; id: number } & Pointer)
  | { kind: 'packet_end' }
  /** Memory of a known size; `ref` is the reference that must be released, 0 for none. */
  | ({ kind: 'mem'; size: number; writable: boolean; ref: number } & Pointer & MaybeNull)
  /** An object of the kernel, `struct` is its BTF name. */
  | ({ kind: 'object'; struct: string; trusted: boolean; ref: number; off: number } & MaybeNull)
  /** Something that is only handed on: sockets, flow keys. */
  | ({ kind: 'other'; name: string; ref: number } & MaybeNull);

export type ValueKind = Value['kind'];

export const NONE: Value = { kind: 'none' };
export const UNKNOWN: ScalarValue = { kind: 'scalar', min: 0, max: Number.POSITIVE_INFINITY };
export const scalar = (min: number, max: number): ScalarValue => ({ kind: 'scalar', min, max });
export const known = (value: number): ScalarValue =>
  value >= 0 ? { kind: 'scalar', min: value, max: value } : UNKNOWN;
export const isKnown = (value: Value): value is ScalarValue => value.kind === 'scalar' && value.min === value.max;
export const isBounded = (value: Value, limit: number): value is ScalarValue =>
  value.kind === 'scalar' && value.max <= limit;

export const isNullable = (value: Value): boolean => 'nullable' in value && value.nullable;
/** Anything that arithmetic would make a pointer of. */
export const isPointer = (value: Value): boolean => value.kind !== 'none' && value.kind !== 'scalar';

export const SLOT_BYTES = 8;

/** Eight bytes of stack. */
export interface StackPart {
  /** Bit i: byte i from the lowest address is initialised. */
  bytes: number;
  /** What a spill of all eight bytes put there. */
  spill: Value | undefined;
  /** Holds an iterator, a dynptr or the like, which nothing else may touch. */
  special: boolean;
}

const emptyPart = (): StackPart => ({ bytes: 0, spill: undefined, special: false });

export class State {
  regs: Value[];
  /** stack[i] is fp-8*(i+1). */
  stack: StackPart[];
  /** Bytes known to be there by id of the packet pointer. */
  packetRange: Map<number, number>;
  rcu = 0;
  preempt = 0;
  irq = 0;
  locked = false;

  constructor(regs: Value[], stack: StackPart[], packetRange: Map<number, number>) {
    this.regs = regs;
    this.stack = stack;
    this.packetRange = packetRange;
  }

  static fresh(stackBytes: number): State {
    const regs: Value[] = new Array(11).fill(NONE);
    regs[10] = { kind: 'stack', off: 0, vary: 0 };
    return new State(regs, Array.from({ length: stackBytes / SLOT_BYTES }, emptyPart), new Map());
  }

  clone(): State {
    const copy = new State(
      this.regs.slice(),
      this.stack.map((part) => ({ ...part })),
      new Map(this.packetRange),
    );
    copy.rcu = this.rcu;
    copy.preempt = this.preempt;
    copy.irq = this.irq;
    copy.locked = this.locked;
    return copy;
  }

  /** The stack part of a byte at fp+off. */
  partAt(off: number): StackPart | undefined {
    return this.stack[Math.floor((-off - 1) / SLOT_BYTES)];
  }

  /** Takes over what both paths have in common. */
  join(other: State): void {
    for (let i = 0; i < 10; i++) this.regs[i] = joinValues(this.regs[i], other.regs[i]);
    this.stack.forEach((part, i) => {
      const theirs = other.stack[i];
      part.bytes &= theirs.bytes;
      part.special ||= theirs.special;
      const spill = part.spill && theirs.spill ? joinValues(part.spill, theirs.spill) : NONE;
      part.spill = spill.kind === 'none' ? undefined : spill;
    });
    for (const [id, range] of this.packetRange) {
      this.packetRange.set(id, Math.min(range, other.packetRange.get(id) ?? 0));
    }
  }

  /** Is everything that `other` has known here too? */
  covers(other: State): boolean {
    return (
      this.regs.every((value, i) => value === other.regs[i] || sameKind(value, other.regs[i])) &&
      this.stack.every((part, i) => {
        const theirs = other.stack[i];
        return part.bytes === theirs.bytes && (part.spill === undefined) === (theirs.spill === undefined);
      })
    );
  }
}

const sameKind = (a: Value, b: Value): boolean => JSON.stringify(a) === JSON.stringify(b);

function joinValues(a: Value, b: Value): Value {
  if (a === b) return a;
  if (a.kind === 'scalar' && b.kind === 'scalar') return scalar(Math.min(a.min, b.min), Math.max(a.max, b.max));
  if (a.kind !== b.kind) return NONE;
  if ('vary' in a && 'vary' in b) {
    const end = Math.max(a.off + a.vary, b.off + b.vary);
    const off = Math.min(a.off, b.off);
    const joined = { ...a, off, vary: end - off };
    return sameKind({ ...joined, off: 0, vary: 0 }, { ...b, off: 0, vary: 0 }) ? joined : NONE;
  }
  return sameKind(a, b) ? a : NONE;
}

/** Writes bytes of the stack: nothing spilled in them survives. */
export function touchStack(state: State, off: number, size: number): void {
  for (let at = off; at < off + size; at++) {
    const part = state.partAt(at);
    if (!part) continue;
    part.bytes |= 1 << (((at % SLOT_BYTES) + SLOT_BYTES) % SLOT_BYTES);
    part.spill = undefined;
  }
}

/** Are all these bytes initialised? */
export function stackReadable(state: State, off: number, size: number): boolean {
  for (let at = off; at < off + size; at++) {
    const part = state.partAt(at);
    if (!part || part.special || (part.bytes & (1 << (((at % SLOT_BYTES) + SLOT_BYTES) % SLOT_BYTES))) === 0)
      return false;
  }
  return true;
}

/** Nothing special lies there. */
export function stackWritable(state: State, off: number, size: number): boolean {
  for (let at = off; at < off + size; at++) {
    const part = state.partAt(at);
    if (!part || part.special) return false;
  }
  return true;
}
