// Test data of `prog dump xlated`: a program as the kernel describes it, and what bpftool printed.
import { bytes, type RecordedProgram, recordedProgram } from '../recorded-program.ts';
import type { XlatedProgram } from '../xlated.ts';

export interface XlatedCase extends RecordedProgram {
  xlated: string;
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

export const xlatedProgram = (item: XlatedCase): XlatedProgram =>
  recordedProgram(
    item,
    { xlated: bytes(item.xlated) },
    { callBase: BigInt(item.callBase), nameAt: (address) => item.symbols[String(address)] || undefined },
  );
