// Test data of `prog dump jited`: a program as the kernel describes it, and what bpftool printed.
import type { RecordedProgram } from './recorded-program.ts';

export interface DumpCase extends RecordedProgram {
  jited: string;
  /** Symbol at each address; empty: none. */
  names: string[];
  plain: string;
  /** With opcodes and linum. */
  full: string;
  /** -j with linum. */
  json: string;
  /** -p with opcodes. */
  pretty: string;
}
