// `prog dump xlated`: the instructions as the kernel keeps them, with prototypes, source lines and symbol names.
import type { Btf } from '../btf/btf.ts';
import { type DisasmOptions, disasmInsn } from '../isa/disasm.ts';
import { decodeInsns, type Insn, LDIMM64 } from '../isa/insn.ts';
import { CALL_KIND, PSEUDO } from '../isa/opcode.ts';
import type { ProgInfo } from '../syscall.ts';
import type { JsonWriter } from './json.ts';
import { typeOnlyText } from './value.ts';
import type { ProgramLines } from './xlated/program-lines.ts';
import { sourceLineText, writeSourceLine } from './xlated/source-line.ts';

/** What /proc/kallsyms tells. */
export interface KernelSymbols {
  /** Address of __bpf_call_base; 0 where symbols are hidden. */
  readonly callBase: bigint;
  /** Name of the symbol at exactly this address. */
  nameAt(address: bigint): string | undefined;
}

/** A program to print. `btf` is the program's own; `lines` come from ProgramLines.of(info). */
export interface XlatedProgram {
  info: ProgInfo;
  btf: Btf | undefined;
  symbols: KernelSymbols;
  lines: ProgramLines | undefined;
}

export interface XlatedOptions {
  /** Raw bytes after each instruction. */
  opcodes: boolean;
  /** File, line and column with each source line. */
  linum: boolean;
}

/** An instruction with what stands before it. */
export interface XlatedRow {
  index: number;
  insn: Insn;
  /** The other half of a 64-bit immediate. */
  next: Insn | undefined;
}

const signed = (n: number): string => (n < 0 ? String(n) : `+${n}`);
const hex2 = (n: number): string => n.toString(16).padStart(2, '0');

/** Names of calls and immediates as bpftool gives them: kernel symbols, map ids, distances to subprograms. */
export function xlatedNames({
  info,
  symbols,
}: Pick<XlatedProgram, 'symbols'> & { info: Pick<ProgInfo, 'jitedKsyms'> }): DisasmOptions {
  const callName = ({ src, off, imm }: Insn): string => {
    const own = src === CALL_KIND.PSEUDO ? info.jitedKsyms[imm >>> 0] : undefined;
    const address = own ?? BigInt.asUintN(64, symbols.callBase + BigInt(imm));
    const name = symbols.nameAt(address) ?? `0x${address.toString(16)}`;
    if (src !== CALL_KIND.PSEUDO) return name;
    return info.jitedKsyms.length === 0 ? signed(off) : `${signed(off)}#${name}`;
  };
  const immName = (insn: Insn, next: Insn): string | undefined => {
    switch (insn.src) {
      case PSEUDO.MAP_FD:
        return `map[id:${insn.imm}]`;
      case PSEUDO.MAP_VALUE:
        return `map[id:${insn.imm}][0]+${next.imm}`;
      case PSEUDO.MAP_IDX_VALUE:
        return `map[idx:${insn.imm}]+${next.imm}`;
      case PSEUDO.FUNC:
        return `subprog[${signed(insn.imm)}]`;
    }
  };
  return { callName, immName };
}

/** The instructions from `from` to `to` (exclusive); the second slot of a 64-bit immediate is no row of its own. */
export function* xlatedRows(insns: readonly Insn[], from = 0, to = insns.length): Generator<XlatedRow> {
  for (let i = from; i < to; i++) {
    const wide = insns[i].code === LDIMM64;
    yield { index: i, insn: insns[i], next: wide ? insns[i + 1] : undefined };
    if (wide) i++;
  }
}

/** Prototypes by instruction; asked in ascending order, each record once. */
export function prototypeReader({ info, btf }: XlatedProgram): (index: number) => string {
  const raw = info.funcInfo;
  if (!btf || !raw || raw.recSize < 8) return () => '';
  const view = new DataView(raw.bytes.buffer, raw.bytes.byteOffset, raw.bytes.byteLength);
  let at = 0;
  return (index) => {
    if (at + raw.recSize > raw.bytes.length || view.getUint32(at, true) !== index) return '';
    const text = typeOnlyText(btf, view.getUint32(at + 4, true));
    at += raw.recSize;
    return text;
  };
}

/** The eight bytes of the instruction at `index`, or sixteen if it takes two slots, as hex numbers. */
export function opcodeBytes(xlated: Uint8Array, { index, next }: XlatedRow): string[] {
  return Array.from(xlated.subarray(index * 8, (index + (next ? 2 : 1)) * 8), hex2);
}

/**
 * Plain text, a line an instruction: `   0: (b7) r0 = 0`.
 * rule: dump_xlated_plain, bpftool 7.8
 */
export function printXlated(program: XlatedProgram, options: XlatedOptions, write: (text: string) => void): void {
  const { info, btf, lines } = program;
  const names = xlatedNames(program);
  const prototype = prototypeReader(program);
  let skip = 0;
  for (const row of xlatedRows(decodeInsns(info.xlated))) {
    let text = prototype(row.index);
    if (text) text += ':\n';
    const line = lines?.find(row.index, skip);
    if (line) {
      skip++;
      if (btf) text += sourceLineText(btf, line, options.linum);
    }
    text += `${String(row.index).padStart(4)}: ${disasmInsn(row.insn, row.next, names)}\n`;
    if (options.opcodes) text += `       ${opcodeBytes(info.xlated, row).join(' ')}\n`;
    write(text);
  }
}

/**
 * An array with an object for each instruction.
 * rule: dump_xlated_json, bpftool 7.8
 */
export function writeXlated(program: XlatedProgram, options: XlatedOptions, json: JsonWriter): void {
  const { info, btf, lines } = program;
  const names = xlatedNames(program);
  const prototype = prototypeReader(program);
  let skip = 0;
  json.startArray();
  for (const row of xlatedRows(decodeInsns(info.xlated))) {
    json.startObject();
    const proto = prototype(row.index);
    if (proto) json.field('proto', proto);
    const line = lines?.find(row.index, skip);
    if (line) {
      skip++;
      if (btf) writeSourceLine(json, btf, line, options.linum);
    }
    json.name('disasm').raw(`"${disasmInsn(row.insn, row.next, names)}"`);
    if (options.opcodes) writeOpcodes(json, info.xlated, row);
    json.endObject();
  }
  json.endArray();
}

function writeOpcodes(json: JsonWriter, xlated: Uint8Array, row: XlatedRow): void {
  const { code, src, dst } = row.insn;
  const bytes = opcodeBytes(xlated, row);
  const array = (name: string, part: readonly string[]) => {
    json.name(name).startArray();
    for (const byte of part) json.raw(`"0x${byte}"`);
    json.endArray();
  };
  json.name('opcodes').startObject();
  json.name('code').raw(`"0x${hex2(code)}"`);
  json.name('src_reg').raw(`"0x${src.toString(16)}"`);
  json.name('dst_reg').raw(`"0x${dst.toString(16)}"`);
  array('off', bytes.slice(2, 4));
  array('imm', bytes.slice(4));
  json.endObject();
}
