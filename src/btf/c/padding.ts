// What the compiler must be told to reproduce a struct's layout: packing and explicit holes.
import type { Btf } from '../btf.ts';
import type { WorkLimit } from './limits.ts';

export const indent = (level: number): string => '\t'.repeat(Math.min(level, 13));

/** True when some member, or the size, does not fit natural alignment. Rule: libbpf 1.8, btf_dump.c. */
export const isPacked = (btf: Btf, id: number): boolean => {
  let greatest = 1;
  const vlen = btf.vlen(id);
  for (let i = 0; i < vlen; i++) {
    const align = btf.align(btf.memberType(id, i));
    if (align && btf.memberBitSize(id, i) === 0 && btf.memberBitOffset(id, i) % (8 * align) !== 0) return true;
    greatest = Math.max(greatest, align);
  }
  return btf.size(id) % greatest !== 0;
};

const roundUp = (value: number, unit: number): number => Math.ceil(value / unit) * unit;

/** Integers that fill holes, widest first; bits. */
const fillers = (pointerSize: number): readonly (readonly [string, number])[] => [
  ['long', pointerSize * 8],
  ['int', 32],
  ['short', 16],
  ['char', 8],
];

export interface Hole {
  /** Bits from the beginning of the struct. */
  from: number;
  to: number;
  /** Natural alignment, in bytes, of what comes behind. */
  nextAlign: number;
  /** Both neighbours are bitfields. */
  inBitfield: boolean;
}

/**
 * Unnamed bitfields that bring the compiler from one bit offset to the next, each on a line of its own. A hole that
 * natural alignment closes by itself needs none. Rule: libbpf 1.8, btf_dump.c.
 */
export const holeText = (hole: Hole, pointerSize: number, level: number, limit: WorkLimit): string => {
  const { from, to } = hole;
  if (from >= to) return '';
  const line = (type: string, bits: number): string => `\n${indent(level)}${type}: ${bits};`;
  const types = fillers(pointerSize);
  // The widest type that has an aligned boundary in the hole; the narrowest if none does.
  const [type, bits] = types.find(([, width]) => roundUp(from, width) <= to) ?? types[types.length - 1];
  const boundary = roundUp(from, bits);
  let text = '';
  let at = from;
  if (boundary > at && boundary <= to) {
    const compilerStopsShort = boundary === to && roundUp(at, hole.nextAlign * 8) !== boundary;
    const restWouldFit = boundary !== to && to - boundary <= boundary - at;
    if (hole.inBitfield || compilerStopsShort || restWouldFit) text += line(type, hole.inBitfield ? boundary - at : 0);
    at = boundary;
  }
  for (; to - at >= bits; at += bits) {
    limit.step();
    text += line(type, bits);
  }
  const rest = to - at;
  if (rest > 0) {
    const narrowest = types.findLast(([, width]) => width >= rest);
    if (narrowest) text += line(narrowest[0], rest);
  }
  return text;
};
