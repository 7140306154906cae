// Test data of program dumps: what the kernel tells of a program besides its code.
import { Btf } from '../btf/btf.ts';
import type { ProgInfo } from '../syscall.ts';
import { ProgramLines } from './xlated/program-lines.ts';
import type { XlatedProgram } from './xlated.ts';

/** Bytes are hexadecimal, addresses decimal strings. */
export interface RecordedProgram {
  name: string;
  ksyms: string[];
  lens: number[];
  btf: string;
  funcInfo: string;
  lineInfo: string;
  jitedLineInfo: string[];
}

export const bytes = (hex: string): Uint8Array => Buffer.from(hex, 'hex');

/** The program with its code; its other fields are not looked at by the printers. */
export function recordedProgram(
  item: RecordedProgram,
  code: { xlated: Uint8Array } | { jited: Uint8Array },
  symbols: XlatedProgram['symbols'],
): XlatedProgram {
  const info = {
    ...code,
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
    symbols,
  };
}
