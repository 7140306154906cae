// Test data of `prog dump jited`: a program as the kernel describes it, and what bpftool printed.

/** Bytes are hexadecimal, addresses decimal strings. */
export interface DumpCase {
  name: string;
  jited: string;
  ksyms: string[];
  lens: number[];
  /** Symbol at each address; empty: none. */
  names: string[];
  btf: string;
  funcInfo: string;
  lineInfo: string;
  jitedLineInfo: string[];
  plain: string;
  /** With opcodes and linum. */
  full: string;
  /** -j with linum. */
  json: string;
  /** -p with opcodes. */
  pretty: string;
}
