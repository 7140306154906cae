// Spills, fills and other accesses to the stack, at fixed and variable offsets.
import { MODE } from '../../../src/isa/opcode.ts';
import type { Action } from '../action.ts';
import { FP, type Generator } from '../generator.ts';
import { isPointer, scalar, stackReadable, stackWritable, touchStack, UNKNOWN } from '../values.ts';

const SIZES = [1, 2, 4, 8] as const;

function room(g: Generator): number {
  return g.state.stack.length * 8;
}

/** An offset of the stack, aligned or not. */
function place(g: Generator, size: number): number {
  const aligned = g.rng.chance(0.99);
  const step = aligned ? size : 1;
  const off = -(size + step * g.rng.below(Math.max(1, Math.floor((room(g) - size) / step) + 1)));
  if (g.mistake()) return g.rng.between(-520, 16);
  return aligned ? Math.floor(off / size) * size : off;
}

function spill(g: Generator): boolean {
  const src = g.findReg((v) => v.kind !== 'none');
  const off = place(g, 8);
  if (src === undefined || (!stackWritable(g.state, off, 8) && !g.mistake())) return false;
  g.asm.store(8, FP, off, src);
  touchStack(g.state, off, 8);
  const part = g.state.partAt(off);
  if (part && off % 8 === 0) part.spill = src === FP ? { kind: 'stack', off: 0, vary: 0 } : g.value(src);
  return true;
}

function fill(g: Generator): boolean {
  const spilled = g.state.stack.flatMap((part, i) => (part.spill ? [-8 * (i + 1)] : []));
  if (spilled.length === 0) return false;
  const off = g.rng.pick(spilled);
  const dst = g.freeReg();
  const value = g.state.partAt(off)?.spill ?? UNKNOWN;
  if (value.kind === 'scalar' && g.rng.chance(0.3)) {
    const size = g.rng.pick([1, 2, 4] as const);
    const at = g.rng.chance(0.6) ? off : off + g.rng.below(8 / size) * size;
    g.asm.load(size, dst, FP, at, g.rng.chance(0.2) ? MODE.MEMSX : MODE.MEM);
    g.set(dst, UNKNOWN);
  } else {
    g.asm.load(8, dst, FP, off);
    g.set(dst, value);
  }
  return true;
}

function store(g: Generator): boolean {
  const size = g.rng.pick(SIZES);
  const off = place(g, size);
  if (!stackWritable(g.state, off, size) && !g.mistake()) return false;
  if (g.rng.chance(0.5)) g.asm.storeImm(size, FP, off, g.rng.chance(0.4) ? 0 : g.imm());
  else g.asm.store(size, FP, off, g.scalarReg());
  touchStack(g.state, off, size);
  return true;
}

function load(g: Generator): boolean {
  const size = g.rng.pick(SIZES);
  const off = place(g, size);
  if (!stackReadable(g.state, off, size) && !g.mistake()) return false;
  const part = g.state.partAt(off);
  if (part?.spill && isPointer(part.spill) && size < 8 && !g.mistake()) return false;
  const dst = g.freeReg();
  const signed = size < 8 && g.rng.chance(0.2);
  g.asm.load(size, dst, FP, off, signed ? MODE.MEMSX : MODE.MEM);
  const whole = size === 8 && off % 8 === 0 ? part?.spill : undefined;
  g.set(dst, whole ?? (size < 4 && !signed ? scalar(0, 2 ** (8 * size) - 1) : UNKNOWN));
  return true;
}

/** A pointer into the stack, by adding a constant or a bounded number. */
function address(g: Generator): boolean {
  const dst = g.freeReg();
  const off = -8 * g.rng.between(1, g.state.stack.length);
  g.stackAddress(dst, off);
  if (g.rng.chance(0.4)) {
    const by = g.boundedReg(Math.min(-off - 1, 31), [dst]);
    const value = g.value(by);
    if (by === dst || value.kind !== 'scalar') return true;
    g.asm.aluReg(g.rng.chance(0.98) ? 0 : 0x10, dst, by);
    g.set(dst, { kind: 'stack', off: off + value.min, vary: value.max - value.min });
  }
  return true;
}

function throughPointer(g: Generator): boolean {
  const ptr = g.findReg((v) => v.kind === 'stack');
  if (ptr === undefined) return false;
  const size = g.rng.pick(SIZES);
  const value = ptr === FP ? ({ kind: 'stack', off: 0, vary: 0 } as const) : g.value(ptr);
  if (value.kind !== 'stack') {
    g.asm.load(size, g.freeReg(), ptr, place(g, size));
    return true;
  }
  const at = value.vary === 0 && g.rng.chance(0.5) ? place(g, size) : value.off;
  const span = size + value.vary;
  if (value.vary > 0 && size > 1 && g.rng.chance(0.9)) return false;
  if (g.rng.chance(0.5)) {
    if (!stackReadable(g.state, at, span) && !g.mistake()) return false;
    const dst = g.freeReg();
    g.asm.load(size, dst, ptr, at - value.off);
    g.set(dst, size < 4 ? scalar(0, 2 ** (8 * size) - 1) : UNKNOWN);
    if (size === 8 && value.vary === 0) g.set(dst, g.state.partAt(at)?.spill ?? UNKNOWN);
    return true;
  }
  if (!stackWritable(g.state, at, span) && !g.mistake()) return false;
  if (g.rng.chance(0.5)) g.asm.storeImm(size, ptr, at - value.off, g.rng.pick([0, 0, 1, -1]));
  else g.asm.store(size, ptr, at - value.off, g.scalarReg());
  if (value.vary === 0) touchStack(g.state, at, size);
  else {
    // A write at an unknown place initialises nothing but takes what was spilled.
    for (let byte = at; byte < at + span; byte++) {
      const part = g.state.partAt(byte);
      if (part) part.spill = undefined;
    }
  }
  return true;
}

export const STACK_ACTIONS: readonly Action[] = [
  { weight: 4, run: spill },
  { weight: 4, run: fill },
  { weight: 3, run: store },
  { weight: 3, run: load },
  { weight: 2, run: address },
  { weight: 3, run: throughPointer },
];
