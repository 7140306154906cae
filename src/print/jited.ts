// `prog dump jited`: the machine code of each function with prototypes, symbol names and source lines.
import type { Btf } from '../btf/btf.ts';
import type { CodeArch, ProgInfo } from '../syscall.ts';
import type { JsonWriter } from './json.ts';
import { typeOnlyText } from './value.ts';
import type { MachineInsn } from './x86/att.ts';
import type { ProgramLines, SourceLine } from './xlated/program-lines.ts';
import { sourceLineText, writeSourceLine } from './xlated/source-line.ts';
import type { KernelSymbols, XlatedOptions, XlatedProgram } from './xlated.ts';

/** What the printers of machine code take; the same as those of the instructions. */
export type JitedProgram = XlatedProgram;
export interface JitedOptions extends XlatedOptions {
  /** What the machine code is for; x86-64 if not given. */
  arch?: CodeArch;
}

/** What cuts code into instructions. */
export type Disassemble = (code: Uint8Array, address: bigint) => Iterable<MachineInsn>;

/** Only that of the architecture asked for is loaded. Throws SysError EOPNOTSUPP where it is not installed. */
export async function loadDisassembler(arch: CodeArch | undefined): Promise<Disassemble> {
  if (arch === 'arm64') return (await import('./arm64/disassembler.ts')).disassembleArm64;
  const x86 = await import('./x86/att.ts');
  const disassembler = await x86.loadDisassembler();
  return (code, address) => disassembler.disassemble(code, address);
}

/** One function as it is printed. */
interface MachineFunction {
  /** undefined: the kernel tells nothing of functions, so there is one run of code without a name. */
  name: string | undefined;
  /** Empty without type information. */
  proto: string;
  code: Uint8Array;
  address: bigint;
  /** Line records of the function, where its address is known. */
  lines: ProgramLines | undefined;
  index: number;
}

/** rule: prog_dump, bpftool 7.8 */
export function machineFunctions({ info, btf, symbols, lines }: JitedProgram): MachineFunction[] {
  if (info.jitedFuncLens.length === 0) {
    return [{ name: undefined, proto: '', code: info.jited, address: 0n, lines: undefined, index: 0 }];
  }
  let at = 0;
  return info.jitedFuncLens.map((length, index) => {
    const code = info.jited.subarray(at, at + length);
    at += length;
    const address = info.jitedKsyms[index];
    return {
      name: symbolName(symbols, address),
      proto: prototype(info, btf, index),
      code,
      address: address ?? 0n,
      lines: address === undefined ? undefined : lines,
      index,
    };
  });
}

const symbolName = (symbols: KernelSymbols, address: bigint | undefined): string =>
  address === undefined ? 'unknown' : (symbols.nameAt(address) ?? `0x${address.toString(16).padStart(16, '0')}`);

/** Prototype of the function by its place among the records: bpftool does not compare offsets here. */
function prototype(info: ProgInfo, btf: Btf | undefined, index: number): string {
  const raw = info.funcInfo;
  if (!btf || !raw || raw.recSize < 8 || (index + 1) * raw.recSize > raw.bytes.length) return '';
  const view = new DataView(raw.bytes.buffer, raw.bytes.byteOffset, raw.bytes.byteLength);
  return typeOnlyText(btf, view.getUint32(index * raw.recSize + 4, true));
}

/** The instructions of a function, each with the source line that begins there. */
function* rows(f: MachineFunction, disassemble: Disassemble): Generator<[MachineInsn, SourceLine | undefined]> {
  let skip = 0;
  for (const insn of disassemble(f.code, f.address)) {
    const line = f.lines?.findAddress(f.address + BigInt(insn.offset), f.index, skip);
    if (line) skip++;
    yield [insn, line];
  }
}

const hex2 = (byte: number): string => byte.toString(16).padStart(2, '0');

/**
 * Plain text: prototype and name of each function, a line an instruction, an empty line after each function.
 * rule: disasm_print_insn with libbfd, bpftool 7.8. Throws SysError EOPNOTSUPP without a disassembler.
 */
export async function printJited(
  program: JitedProgram,
  options: JitedOptions,
  write: (text: string) => void,
): Promise<void> {
  const disassemble = await loadDisassembler(options.arch);
  const { btf } = program;
  for (const f of machineFunctions(program)) {
    if (f.proto) write(`${f.proto}:\n`);
    if (f.name !== undefined) write(`${f.name}:\n`);
    for (const [insn, line] of rows(f, disassemble)) {
      let text = line && btf ? sourceLineText(btf, line, options.linum) : '';
      text += `${insn.offset.toString(16).padStart(4)}:\t${insn.pieces.join('')}`;
      if (options.opcodes) {
        text += '\n\t';
        for (const byte of f.code.subarray(insn.offset, insn.offset + insn.length)) text += `${hex2(byte)} `;
      }
      write(`${text}\n`);
    }
    if (f.name !== undefined) write('\n');
  }
}

/**
 * The same in JSON: an array of functions, or of instructions where the kernel tells nothing of functions. The
 * operands are the pieces in which the disassembler gives them, as bpftool has it with libbfd.
 */
export async function writeJited(program: JitedProgram, options: JitedOptions, json: JsonWriter): Promise<void> {
  const disassemble = await loadDisassembler(options.arch);
  const functions = machineFunctions(program);
  const named = functions[0]?.name !== undefined;
  if (named) json.startArray();
  for (const f of functions) {
    if (named) {
      json.startObject();
      if (f.proto) json.field('proto', f.proto);
      json.field('name', f.name as string).name('insns');
    }
    json.startArray();
    for (const [insn, line] of rows(f, disassemble)) {
      json.startObject();
      if (line && program.btf) writeSourceLine(json, program.btf, line, options.linum);
      json.name('pc').raw(`"0x${insn.offset.toString(16)}"`);
      const [operation, ...operands] = insn.pieces;
      json.field('operation', operation.replace(/ +$/, '')).name('operands').startArray();
      for (const operand of operands) json.value(operand);
      if (operands.length === 0) json.value(null);
      json.endArray();
      if (options.opcodes) {
        json.name('opcodes').startArray();
        for (const byte of f.code.subarray(insn.offset, insn.offset + insn.length)) json.raw(`"0x${hex2(byte)}"`);
        json.endArray();
      }
      json.endObject();
    }
    json.endArray();
    if (named) json.endObject();
  }
  if (named) json.endArray();
}
