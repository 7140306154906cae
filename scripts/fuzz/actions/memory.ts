// Pointers to values, packets and other memory: arithmetic on them, and accesses through them.
import { ALU, ATOMIC, JMP, MODE } from '../../../src/isa/opcode.ts';
import { READ_MODIFY_WRITE } from '../../../src/isa/operations.ts';
import type { Action } from '../action.ts';
import { FP, type Generator } from '../generator.ts';
import { isNullable, isPointer, scalar, stackReadable, touchStack, UNKNOWN, type Value } from '../values.ts';

const SIZES = [1, 2, 4, 8] as const;

/** Bytes behind the start of the thing that a pointer leads into. */
export function extent(g: Generator, value: Value): number {
  if (value.kind === 'value') return g.mapOf(value.map).value;
  if (value.kind === 'mem') return value.size;
  if (value.kind === 'packet' || value.kind === 'meta') return g.state.packetRange.get(value.id) ?? 0;
  return 0;
}

const hasBytes = (value: Value): value is Extract<Value, { kind: 'value' | 'mem' | 'packet' | 'meta' }> =>
  value.kind === 'value' || value.kind === 'mem' || value.kind === 'packet' || value.kind === 'meta';

/** An offset from the pointer at which `size` bytes may be accessed; undefined: none. */
function reach(g: Generator, value: Value, size: number): number | undefined {
  if (!hasBytes(value)) return g.rng.between(-8, 64);
  const slack = extent(g, value) - value.vary - size;
  if (slack < 0) return undefined;
  let at = g.rng.below(slack + 1);
  if (g.rng.chance(0.9)) at -= at % size;
  if (g.mistake()) at = g.rng.between(-16, slack + 16);
  const special = value.kind === 'value' ? g.mapOf(value.map).special : undefined;
  if (special?.some(([from, to]) => at + size + value.vary > from && at < to) && !g.mistake()) return undefined;
  return at - value.off;
}

const pointer = (g: Generator): number | undefined => g.findReg((v) => hasBytes(v) && !isNullable(v));

const WRITE_ONLY = 1 << 8;
const READ_ONLY = 1 << 7;

function allows(g: Generator, value: Value, what: 'read' | 'write'): boolean {
  if (g.mistake()) return true;
  if (value.kind === 'value') {
    const flags = g.mapOf(value.map).flags ?? 0;
    return (flags & (what === 'read' ? WRITE_ONLY : READ_ONLY)) === 0;
  }
  if (what === 'read') return true;
  if (value.kind === 'mem') return value.writable;
  return g.kind.rules.packet === 'write';
}

function load(g: Generator): boolean {
  const ptr = pointer(g);
  const size = g.rng.pick(SIZES);
  if (ptr === undefined || !allows(g, g.value(ptr), 'read')) return false;
  const off = reach(g, g.value(ptr), size);
  if (off === undefined) return false;
  const dst = g.freeReg();
  const signed = size < 8 && g.rng.chance(0.2);
  g.asm.load(size, dst, ptr, off, signed ? MODE.MEMSX : MODE.MEM);
  g.set(dst, size < 4 && !signed ? scalar(0, 2 ** (8 * size) - 1) : UNKNOWN);
  return true;
}

function store(g: Generator): boolean {
  const ptr = pointer(g);
  const size = g.rng.pick(SIZES);
  if (ptr === undefined || !allows(g, g.value(ptr), 'write')) return false;
  const off = reach(g, g.value(ptr), size);
  if (off === undefined) return false;
  if (g.rng.chance(0.4)) g.asm.storeImm(size, ptr, off, g.imm());
  else g.asm.store(size, ptr, off, g.scalarReg());
  return true;
}

const ATOMICS = [...READ_MODIFY_WRITE, ATOMIC.LOAD_ACQ, ATOMIC.STORE_REL] as const;

function atomic(g: Generator): boolean {
  const { rng, asm } = g;
  const op = rng.pick(ATOMICS);
  const plain = op === ATOMIC.LOAD_ACQ || op === ATOMIC.STORE_REL;
  const size = plain ? rng.pick(SIZES) : rng.pick(g.mistake() ? SIZES : ([4, 8] as const));
  let ptr: number | undefined;
  let off: number | undefined;
  if (rng.chance(0.4)) {
    ptr = FP;
    off = g.stackBuffer(size, { init: true });
    if (off !== undefined) touchStack(g.state, off, size);
  } else {
    ptr = g.findReg((v) => (v.kind === 'value' || v.kind === 'mem') && !isNullable(v));
    if (ptr !== undefined && allows(g, g.value(ptr), 'write')) off = reach(g, g.value(ptr), size);
  }
  if (ptr === undefined || off === undefined) return false;
  if (op === ATOMIC.LOAD_ACQ) {
    const dst = g.freeReg([ptr]);
    // The register that is filled stands in the field of the destination.
    asm.atomic(size, dst, off, ptr, op);
    g.set(dst, UNKNOWN);
    return true;
  }
  if (op === ATOMIC.CMPXCHG && g.value(0).kind !== 'scalar') {
    if (g.pinned.has(0)) return false;
    g.setNumber(0, g.imm());
    if (ptr === 0) return true;
  }
  const src = g.scalarReg(undefined, [...g.pinned, ptr]);
  asm.atomic(size, ptr, off, src, op);
  if (op === ATOMIC.CMPXCHG) g.set(0, UNKNOWN);
  else if ((op & ATOMIC.FETCH) !== 0) g.set(src, UNKNOWN);
  return true;
}

/** pointer += constant or bounded number */
function advance(g: Generator): boolean {
  const { rng, asm } = g;
  const src = pointer(g);
  if (src === undefined) return false;
  const value = g.value(src);
  if (!hasBytes(value)) {
    asm.aluImm(ALU.ADD, src, g.imm());
    return true;
  }
  const dst = rng.chance(0.6) ? g.freeReg([src]) : src;
  if (g.pinned.has(dst)) return false;
  const packet = value.kind === 'packet' || value.kind === 'meta';
  const slack = packet ? 64 : extent(g, value) - value.off - value.vary;
  if (rng.chance(0.35)) {
    const by = g.mistake()
      ? g.imm()
      : rng.between(packet ? 0 : -Math.min(value.off, 8), Math.max(0, Math.min(slack, 24)));
    if (dst !== src) asm.mov(dst, src);
    if (rng.chance(0.2)) asm.aluImm(ALU.SUB, dst, -by);
    else asm.aluImm(ALU.ADD, dst, by);
    g.set(dst, { ...value, off: value.off + by });
    return true;
  }
  const limit = rng.pick([1, 3, 7, 15, 31, 63, 255]);
  if (!packet && limit > slack && !g.mistake()) return false;
  const by = g.boundedReg(limit, [dst, src]);
  const number = g.value(by);
  if (by === dst || number.kind !== 'scalar') return false;
  if (isNullable(value) && !g.mistake()) return false;
  const backwards = rng.chance(0.1) && value.off >= number.max;
  if (dst !== src) asm.mov(dst, src);
  if (!backwards && dst !== src && rng.chance(0.2)) {
    // number += pointer
    asm.mov(dst, by);
    asm.aluReg(ALU.ADD, dst, src);
  } else asm.aluReg(backwards ? ALU.SUB : ALU.ADD, dst, by);
  if (packet && number.min !== number.max) {
    // What is known of the packet is known of the new pointer only after a new check.
    g.set(dst, { ...value, id: g.newId(), off: 0, vary: 0 });
  } else {
    const start = value.off + (backwards ? -number.max : number.min);
    g.set(dst, { ...value, off: start, vary: value.vary + number.max - number.min });
  }
  return true;
}

/** Pointer minus pointer, comparison of pointers, pointers as numbers. */
function misuse(g: Generator): boolean {
  const { rng, asm } = g;
  const a = g.findReg((v, reg) => isPointer(v) && !isNullable(v) && !g.pinned.has(reg));
  const b = g.findReg((v) => isPointer(v) && !isNullable(v));
  if (a === undefined || b === undefined || a === FP) return false;
  if (rng.chance(0.4)) {
    if (!g.mistake() && g.kind.type !== 'kprobe') return false;
    asm.aluReg(ALU.SUB, a, b);
    g.set(a, UNKNOWN);
    return true;
  }
  if (rng.chance(0.5)) {
    const next = asm.label();
    asm.jumpReg(rng.pick([JMP.JEQ, JMP.JNE]), a, b, next);
    asm.place(next);
    return true;
  }
  const off = g.stackBuffer(8, { init: false });
  if (off === undefined) return false;
  asm.store(8, FP, off, a);
  touchStack(g.state, off, 8);
  if (rng.chance(0.5) && stackReadable(g.state, off, 4)) {
    const dst = g.freeReg();
    asm.load(4, dst, FP, off);
    g.set(dst, UNKNOWN);
  }
  return true;
}

export const MEMORY_ACTIONS: readonly Action[] = [
  { weight: 6, run: load },
  { weight: 6, run: store },
  { weight: 3, run: atomic },
  { weight: 6, run: advance },
  { weight: 0.5, run: misuse },
];
