// Test data of `prog dump xlated`: a program as the kernel describes it, and what bpftool printed.
import { Btf } from '../../btf/btf.ts';
import type { ProgInfo } from '../../syscall.ts';
import type { XlatedProgram } from '../xlated.ts';
import { ProgramLines } from './program-lines.ts';

/** Bytes are hexadecimal, addresses decimal strings. */
export interface XlatedCase {
  name: string;
  xlated: string;
  ksyms: string[];
  lens: number[];
  btf: string;
  funcInfo: string;
  lineInfo: string;
  jitedLineInfo: string[];
  callBase: string;
  /** Name of each address that a call goes to; empty: none. */
  symbols: Record<string, string>;
  /** bpftool said that the line records make no sense. */
  badLines: boolean;
  /** What bpftool printed, by the words after the program: "", "opcodes linum", "visual" …, with "-j" or "-p" before. */
  texts: Record<string, string>;
}

/** Forms that each case has. */
export const XLATED_FORMS: readonly string[] = [
  '',
  'opcodes',
  'linum',
  'visual',
  'visual opcodes linum',
  '-j',
  '-j opcodes linum',
  '-p opcodes linum',
];

const bytes = (hex: string): Uint8Array => Buffer.from(hex, 'hex');

/** The program of a case; its other fields are not looked at by the printers. */
export function xlatedProgram(item: XlatedCase): XlatedProgram {
  const info = {
    xlated: bytes(item.xlated),
    jitedKsyms: item.ksyms.map(BigInt),
    jitedFuncLens: item.lens,
    funcInfo: item.funcInfo ? { recSize: 8, bytes: bytes(item.funcInfo) } : undefined,
    lineInfo: item.lineInfo ? { recSize: 16, bytes: bytes(item.lineInfo) } : undefined,
    jitedLineInfo: item.jitedLineInfo.map(BigInt),
  } as ProgInfo;
  const lines = ProgramLines.of(info);
  return {
    info,
    btf: item.btf ? Btf.parse(bytes(item.btf)) : undefined,
    lines: lines === 'bad' ? undefined : lines,
    symbols: { callBase: BigInt(item.callBase), nameAt: (address) => item.symbols[String(address)] || undefined },
  };
}
