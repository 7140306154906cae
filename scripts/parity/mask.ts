// What may differ between two kernels that agree: ids, times, addresses. Each masked thing becomes a fixed word.

type Rule = readonly [RegExp, string | ((match: string) => string)];

const apply = (text: string, rules: readonly Rule[]): string =>
  rules.reduce((t, [from, to]) => (typeof to === 'string' ? t.replace(from, to) : t.replace(from, to)), text);

/** Kernel addresses, as instructions and logs show them. */
const ADDRESS: Rule = [/\b0xffff[0-9a-f]{12}\b/g, 'ADDR'];

/** Where user space has mapped an arena. */
const ARENA: Rule = [/(?<=\(18\) r\d = )0x7[ef][0-9a-f]{10}\b/g, 'ADDR'];

export const maskLog = (text: string): string => apply(text, [ADDRESS, ARENA]);

/** Messages without the notes that the real tool does not have. */
export const withoutNotes = (text: string): string => text.replace(/^bpftool-ts: .*\n/gm, '');

const count = (ids: string): string => String(ids.split(',').length);

const SHOW: readonly Rule[] = [
  [/^\d+: /gm, 'ID: '],
  [/loaded_at \S+ {2}uid \d+/g, 'loaded_at TIME  uid UID'],
  [/(?<=map_ids )[\d,]+/g, count],
  [/btf_id \d+/g, 'btf_id ID'],
  [/"(?:id|loaded_at|uid|btf_id)": ?\d+/g, (m) => m.replace(/\d+$/, 'N')],
  [/(?<="map_ids": ?)\[[^\]]*\]/g, count],
];

export const maskShow = (text: string): string => apply(text, SHOW);

/** The tags of rewritten subprograms hold addresses of the kernel. */
const SUBPROG_TAG: Rule = [/bpf_prog_[0-9a-f]{16}_/g, 'bpf_prog_TAG_'];

const XLATED: readonly Rule[] = [
  [/map\[id:\d+\]/g, 'map[id:ID]'],
  SUBPROG_TAG,
  ADDRESS,
  ARENA,
  // ldimm64 with its raw bytes: a map id in the second word, or an address in two words.
  [/(?<=\b18 [12][0-9a-f] 00 00 )(?:[0-9a-f]{2} ){4}/g, 'ID '],
  [
    /(?<=\b18 0[0-9a-f] 00 00 )(?:[0-9a-f]{2} ){4}00 00 00 00 (?:(?:[0-9a-f]{2} ){2}ff ff|[0-9a-f]{2} 7[ef] 00 00)/g,
    'ADDR',
  ],
  [
    /(?<="code": ?"0x18",\s*"src_reg": ?"0x[12]",\s*"dst_reg": ?"[^"]+",\s*"off": ?\["0x00","0x00"\s*\],\s*"imm": ?\[)(?:"0x[0-9a-f]{2}",){4}/g,
    'ID,',
  ],
  [
    /(?<="code": ?"0x18",\s*"src_reg": ?"0x0",\s*"dst_reg": ?"[^"]+",\s*"off": ?\["0x00","0x00"\s*\],\s*"imm": ?\[)(?:(?:"0x[0-9a-f]{2}",){10}"0xff","0xff"|(?:"0x[0-9a-f]{2}",){9}"0x7[ef]","0x00","0x00")/g,
    'ADDR',
  ],
];

export const maskXlated = (text: string): string => apply(text, XLATED);

const isArenaAddress = (high: number): boolean => high >>> 8 === 0x7e || high >>> 8 === 0x7f;

/** Hex of the xlated bytes with map ids and addresses of ldimm64 zeroed. */
export function maskXlatedBytes(hex: string): string {
  const bytes = Buffer.from(hex, 'hex');
  for (let at = 0; at + 16 <= bytes.length; at += 8) {
    if (bytes[at] !== 0x18) continue;
    const src = bytes[at + 1] >> 4;
    if (src === 1 || src === 2) bytes.fill(0, at + 4, at + 8);
    else if (bytes.readUInt16LE(at + 14) === 0xffff || isArenaAddress(bytes.readUInt32LE(at + 12))) {
      bytes.fill(0, at + 4, at + 8);
      bytes.fill(0, at + 12, at + 16);
    }
    at += 8;
  }
  return bytes.toString('hex');
}

/** Targets of jumps and calls are printed as addresses, whether they leave the function or not. */
const TARGET = '0x[0-9a-f]{9,16}';

/** One instruction of machine code, at a distance from its function's start. */
export interface CodeLine {
  pc: number;
  bytes: number[];
}

const wordAt = (bytes: readonly number[], at: number): number => Buffer.from(bytes).readUInt32LE(at);

/** Index of the first byte of an instruction that is part of an address; bytes.length where none is. */
function addressAt(line: CodeLine, end: number): number {
  const { bytes, pc } = line;
  const n = bytes.length;
  if ((bytes[0] === 0xe8 || bytes[0] === 0xe9) && n === 5) {
    const target = pc + n + Buffer.from(bytes).readInt32LE(1);
    if (target < 0 || target >= end) return 1;
  }
  // Conditional jump out of the function, as indirect tail calls have it.
  if (bytes[0] === 0x0f && (bytes[1] & 0xf0) === 0x80 && n === 6) {
    const target = pc + n + Buffer.from(bytes).readInt32LE(2);
    if (target < 0 || target >= end) return 2;
  }
  // movabs of a kernel address, or of a per-CPU pointer (the private stack, in r9)
  const wide = n === 10 && (bytes[1] & 0xf8) === 0xb8;
  if (wide && bytes[9] === 0xff && bytes[8] === 0xff) return 2;
  if (wide && bytes[9] === 0 && bytes[8] === 0 && (bytes[7] === 0x7e || bytes[7] === 0x7f)) return 2;
  if (wide && bytes[0] === 0x49 && bytes[9] === 0 && bytes[8] === 0 && bytes[7] !== 0) return 2;
  // or of the upper half of an arena's address
  if (bytes[1] === 0x0d && n === 6 && isArenaAddress(wordAt(bytes, 2))) return 2;
  if (bytes[1] === 0x81 && n === 7 && isArenaAddress(wordAt(bytes, 3))) return 3;
  // mov of the address of a BPF function
  if (n === 7 && bytes[1] === 0xc7 && bytes[6] === 0xc0) return 3;
  return n;
}

/** Functions of a listing made with `opcodes`, in order. */
function readListing(listing: string): CodeLine[][] {
  const functions: CodeLine[][] = [];
  for (const m of listing.matchAll(/^ *([0-9a-f]+):\t.*\n\t((?:[0-9a-f]{2} ?)+)$/gm)) {
    const pc = Number.parseInt(m[1], 16);
    if (pc === 0) functions.push([]);
    const bytes = m[2]
      .trim()
      .split(' ')
      .map((b) => Number.parseInt(b, 16));
    functions.at(-1)?.push({ pc, bytes });
  }
  return functions;
}

const endOf = (lines: CodeLine[]): number => (lines.at(-1)?.pc ?? 0) + (lines.at(-1)?.bytes.length ?? 0);

/** 1 for each byte of the machine code that is part of an address, found from its listing with opcodes. */
export const jitedMask = (listing: string): Uint8Array => codeMask(readListing(listing));

/** The same from the instructions of each function. */
export function codeMask(functions: readonly CodeLine[][]): Uint8Array {
  const mask: number[] = [];
  for (const lines of functions) {
    const end = endOf(lines);
    for (const line of lines) {
      const from = addressAt(line, end);
      for (let i = 0; i < line.bytes.length; i++) mask.push(i >= from ? 1 : 0);
    }
  }
  return Uint8Array.from(mask);
}

const JITED: readonly Rule[] = [
  SUBPROG_TAG,
  [/(?<=\bor +\$|"or","operands":\["","\$",")0x7[ef][0-9a-f]{2}\b/g, 'HIGH'],
  [/(?<=^\t4[89] (?:0d|81 c[89a-f]) )[0-9a-f]{2} 7[ef] 00 00 $/gm, 'HIGH '],
  [/(?<="opcodes": ?\["0x4[89]",(?:"0x0d"|"0x81","0xc[89a-f]"),)"0x[0-9a-f]{2}","0x7[ef]","0x00","0x00"/g, 'HIGH'],
  [new RegExp(`(?<=\\b(?:call|j[a-z]+)q? +)${TARGET}`, 'g'), 'TARGET'],
  [new RegExp(`(?<="operation": ?"(?:call|j[a-z]+)q?",\\s*"operands": ?\\[[^\\]]*?)${TARGET}`, 'g'), 'TARGET'],
  [/(?<=\$"?,?"?)0x(?:(?:ffff|60)[0-9a-f]{10,12}|7[ef][0-9a-f]{10}\b)/g, 'ADDR'],
  [/(?<=^\te[89] )(?:[0-9a-f]{2} ){4}$/gm, 'REL '],
  [/(?<=^\t4[89] b[89a-f] )(?:[0-9a-f]{2} ){6}(?:ff ff|00 00) $/gm, 'ADDR '],
  [/(?<=^\t4[89] c7 c[0-7] )(?:[0-9a-f]{2} ){3}c0 $/gm, 'ADDR '],
  [/(?<="opcodes": ?\["0xe[89]",)(?:"0x[0-9a-f]{2}",){3}"0x[0-9a-f]{2}"(?=\s*\])/g, 'REL'],
  [/(?<="opcodes": ?\["0x4[89]","0xb[89a-f]",)(?:"0x[0-9a-f]{2}",){6}"0x(?:ff|00)","0x(?:ff|00)"(?=\s*\])/g, 'ADDR'],
  [/(?<="opcodes": ?\["0x4[89]","0xc7","0xc[0-7]",)(?:"0x[0-9a-f]{2}",){3}"0xc0"(?=\s*\])/g, 'ADDR'],
];

export const maskJited = (text: string): string => apply(text, JITED);

/** True where two pieces of machine code are the same outside the masked bytes. */
export function sameJited(ours: string, theirs: string, mask: Uint8Array): boolean {
  const a = Buffer.from(ours, 'hex');
  const b = Buffer.from(theirs, 'hex');
  return a.length === b.length && b.every((byte, i) => mask[i] === 1 || byte === a[i]);
}
