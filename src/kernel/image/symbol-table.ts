// The symbols of a kernel image in columns: addresses, type letters and names of /proc/kallsyms, in its order.
//
// Packed form, before compression: count (u32), low halves of the addresses as differences to the one before (u32
// each, wrapping), high halves (u32 each), type letters (a byte each), then the rest of each line with its newline.
// All numbers are little-endian.

import { endianness } from 'node:os';

/** One line of /proc/kallsyms. `name` holds everything after the type letter's space, a module suffix included. */
export interface SymbolLine {
  address: bigint;
  type: string;
  name: string;
}

const HEADER_BYTES = 4;
const BYTES_PER_SYMBOL = 9;
const NEWLINE = 0x0a;
const TAB = 0x09;

/** Thrown when packed symbols do not have the form described above. */
export class SymbolTableError extends Error {}

/** A copy of `count` little-endian words. */
function wordsAt(bytes: Buffer, offset: number, count: number): Uint32Array {
  const words = new Uint32Array(count);
  const copy = Buffer.from(words.buffer);
  bytes.copy(copy, 0, offset);
  if (endianness() === 'BE') copy.swap32();
  return words;
}

export class SymbolTable {
  readonly count: number;
  private readonly low: Uint32Array;
  private readonly high: Uint32Array;
  private readonly types: Uint8Array;
  private readonly names: Buffer;
  private starts: Uint32Array | undefined;
  private readonly known = new Map<string, bigint | undefined>();
  private sorted: Uint32Array | undefined;

  /** Unpacks; throws SymbolTableError when the sizes do not fit together. */
  constructor(packed: Uint8Array) {
    const bytes = Buffer.from(packed.buffer, packed.byteOffset, packed.byteLength);
    this.count = bytes.length >= HEADER_BYTES ? bytes.readUInt32LE(0) : 0;
    const namesAt = HEADER_BYTES + this.count * BYTES_PER_SYMBOL;
    if (bytes.length < HEADER_BYTES || namesAt > bytes.length) throw new SymbolTableError('symbol table is cut');
    this.low = wordsAt(bytes, HEADER_BYTES, this.count);
    this.high = wordsAt(bytes, HEADER_BYTES + this.count * 4, this.count);
    // Element 0 stands as it is; storing wraps at 32 bits.
    for (let i = 1; i < this.count; i++) this.low[i] += this.low[i - 1];
    this.types = bytes.subarray(HEADER_BYTES + this.count * 8, namesAt);
    this.names = bytes.subarray(namesAt);
  }

  static pack(lines: readonly SymbolLine[]): Uint8Array {
    const names = Buffer.from(lines.map((line) => `${line.name}\n`).join(''), 'latin1');
    const out = Buffer.alloc(HEADER_BYTES + lines.length * BYTES_PER_SYMBOL);
    out.writeUInt32LE(lines.length, 0);
    let before = 0;
    lines.forEach((line, i) => {
      const low = Number(line.address & 0xffffffffn);
      out.writeUInt32LE((low - before) >>> 0, HEADER_BYTES + i * 4);
      out.writeUInt32LE(Number(line.address >> 32n), HEADER_BYTES + (lines.length + i) * 4);
      out[HEADER_BYTES + lines.length * 8 + i] = line.type.charCodeAt(0);
      before = low;
    });
    return Buffer.concat([out, names]);
  }

  /** Offset of each name, and the end of the last one. */
  private nameStarts(): Uint32Array {
    if (this.starts) return this.starts;
    const starts = new Uint32Array(this.count + 1);
    let at = 0;
    for (let i = 1; i <= this.count; i++) {
      const end = this.names.indexOf(NEWLINE, at);
      if (end < 0) throw new SymbolTableError('symbol table lacks names');
      at = end + 1;
      starts[i] = at;
    }
    this.starts = starts;
    return starts;
  }

  private addressAt(i: number): bigint {
    return (BigInt(this.high[i]) << 32n) | BigInt(this.low[i]);
  }

  private nameAt(i: number): string {
    const starts = this.nameStarts();
    return this.names.toString('latin1', starts[i], starts[i + 1] - 1);
  }

  /** Index of the symbol whose name begins at this offset; -1 in the middle of a name. */
  private indexOfStart(offset: number): number {
    const starts = this.nameStarts();
    let low = 0;
    let high = this.count - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (starts[middle] <= offset) low = middle;
      else high = middle - 1;
    }
    return starts[low] === offset ? low : -1;
  }

  /** Address of the first symbol of that name, without regard to a module suffix. */
  address(name: string): bigint | undefined {
    if (this.known.has(name)) return this.known.get(name);
    const found = this.search(name);
    this.known.set(name, found);
    return found;
  }

  private search(name: string): bigint | undefined {
    if (name === '' || name.includes('\n')) return undefined;
    const wanted = Buffer.from(name, 'latin1');
    for (let at = this.names.indexOf(wanted); at >= 0; at = this.names.indexOf(wanted, at + 1)) {
      const after = this.names[at + wanted.length];
      if ((at > 0 && this.names[at - 1] !== NEWLINE) || (after !== NEWLINE && after !== TAB)) continue;
      const index = this.indexOfStart(at);
      if (index >= 0) return this.addressAt(index);
    }
    return undefined;
  }

  private compare(a: number, b: number): number {
    return this.high[a] - this.high[b] || this.low[a] - this.low[b];
  }

  /** Indexes in ascending address; symbols of one address stay in their order. */
  private byAddress(): Uint32Array {
    if (this.sorted) return this.sorted;
    this.sorted = Uint32Array.from(this.low.keys());
    for (let i = 1; i < this.count; i++) {
      if (this.compare(i - 1, i) <= 0) continue;
      this.sorted.sort((a, b) => this.compare(a, b) || a - b);
      break;
    }
    return this.sorted;
  }

  /** Name of the first symbol at exactly this address. */
  nameOf(address: bigint): string | undefined {
    if (address < 0n || address >> 64n) return undefined;
    const order = this.byAddress();
    const high = Number(address >> 32n);
    const low = Number(address & 0xffffffffn);
    let from = 0;
    let to = this.count;
    while (from < to) {
      const middle = (from + to) >>> 1;
      const i = order[middle];
      if (this.high[i] < high || (this.high[i] === high && this.low[i] < low)) from = middle + 1;
      else to = middle;
    }
    const i = order[from];
    if (i === undefined || this.high[i] !== high || this.low[i] !== low) return undefined;
    return this.nameAt(i).split('\t')[0];
  }

  /** The lines as /proc/kallsyms prints them to somebody who may see addresses. */
  text(): Uint8Array {
    const starts = this.nameStarts();
    const out = Buffer.allocUnsafe(this.names.length + this.count * 19);
    let at = 0;
    for (let i = 0; i < this.count; i++) {
      const digits = this.high[i].toString(16).padStart(8, '0') + this.low[i].toString(16).padStart(8, '0');
      at += out.write(`${digits} ${String.fromCharCode(this.types[i])} `, at, 'latin1');
      at += this.names.copy(out, at, starts[i], starts[i + 1]);
    }
    return out.subarray(0, at);
  }
}
