// What the compiler must be told to reproduce a struct's layout: packing and explicit holes.
import { type ByteSink, type Token, token } from '../../print/byte-sink.ts';
import type { FlatTypes } from '../flat-types.ts';
import type { WorkLimit } from './limits.ts';

const MAX_INDENT = 13;
const LINES = Array.from({ length: MAX_INDENT + 1 }, (_, level) => token(`\n${'\t'.repeat(level)}`));

/** A line end and the indentation of the next line. */
export const newLine = (level: number): Token => LINES[level < MAX_INDENT ? level : MAX_INDENT];

/**
 * True when some member, or the size, does not fit natural alignment. `unaligned` is told members without alignment.
 * Rule: libbpf 1.8, btf_dump.c.
 */
export const isPacked = (types: FlatTypes, id: number, unaligned?: (type: number) => void): boolean => {
  const { words } = types;
  let greatest = 1;
  const hasBitfields = types.kflag(id);
  const from = types.rest(id);
  const to = from + types.vlen(id) * 3;
  for (let p = from; p < to; p += 3) {
    const align = types.align(words[p + 1]);
    if (align === 0) unaligned?.(words[p + 1]);
    const offset = words[p + 2];
    const isBitfield = hasBitfields && offset >>> 24 !== 0;
    if (align && !isBitfield && (hasBitfields ? offset & 0xffffff : offset >>> 0) % (8 * align) !== 0) return true;
    if (align > greatest) greatest = align;
  }
  return types.size(id) % greatest !== 0;
};

const roundUp = (value: number, unit: number): number => Math.ceil(value / unit) * unit;

interface Filler {
  bits: number;
  text: Token;
}

const filler = (type: string, bits: number): Filler => ({ bits, text: token(`${type}: `) });
const NARROW: readonly Filler[] = [filler('int', 32), filler('short', 16), filler('char', 8)];
/** Integers that fill holes, widest first, by the size of a pointer. */
const FILLERS: Readonly<Record<number, readonly Filler[]>> = {
  4: [filler('long', 32), ...NARROW],
  8: [filler('long', 64), ...NARROW],
};
const END = token(';');

export interface Hole {
  /** Bits from the beginning of the struct. */
  from: number;
  to: number;
  /** Natural alignment, in bytes, of what comes behind. */
  nextAlign: number;
  /** Both neighbours are bitfields. */
  inBitfield: boolean;
}

/** Writes unnamed bitfields into the holes of structs. */
export class Padding {
  private readonly out: ByteSink;
  private readonly limit: WorkLimit;
  private readonly fillers: readonly Filler[];

  constructor(pointerSize: number, limit: WorkLimit, out: ByteSink) {
    this.out = out;
    this.limit = limit;
    this.fillers = FILLERS[pointerSize];
  }

  private line(type: Filler, bits: number, level: number): void {
    const { out } = this;
    out.put(newLine(level));
    out.put(type.text);
    out.decimal(bits);
    out.put(END);
  }

  /**
   * Bitfields that bring the compiler from one bit offset to the next, each on a line of its own. A hole that natural
   * alignment closes by itself needs none. Rule: libbpf 1.8, btf_dump.c.
   */
  fill({ from, to, nextAlign, inBitfield }: Hole, level: number): void {
    const { fillers, limit } = this;
    // The widest type that has an aligned boundary in the hole; the narrowest if none does.
    const type = fillers.find(({ bits }) => roundUp(from, bits) <= to) ?? fillers[fillers.length - 1];
    const { bits } = type;
    const boundary = roundUp(from, bits);
    let at = from;
    if (boundary > at && boundary <= to) {
      const compilerStopsShort = boundary === to && roundUp(at, nextAlign * 8) !== boundary;
      const restWouldFit = boundary !== to && to - boundary <= boundary - at;
      if (inBitfield || compilerStopsShort || restWouldFit) this.line(type, inBitfield ? boundary - at : 0, level);
      at = boundary;
    }
    for (; to - at >= bits; at += bits) {
      limit.step();
      this.line(type, bits, level);
    }
    const rest = to - at;
    const narrowest = rest > 0 ? fillers.findLast((candidate) => candidate.bits >= rest) : undefined;
    if (narrowest) this.line(narrowest, rest, level);
  }
}
