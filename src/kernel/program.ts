// What a load leaves when verification, rewriting and compilation are done: everything that bpf_prog_info reports.
import type { Insn } from '../isa/insn.ts';
import type { FunctionShape, PokeSite } from './jit/jit.ts';
import type { FuncInfo, LineInfo } from './verifier/env.ts';

/** One function of a finished program: main is the first. */
export interface FinishedFunction {
  /** Kernel symbol without its prefix and tag: BTF name, program name, or "F". */
  name: string;
  /** SHA-256 prefix of the function's own rewritten instructions, 8 bytes. */
  tag: Uint8Array;
  address: bigint;
  jited: Uint8Array;
  /** Byte offset in `jited` where instruction i of the function begins; one entry more for the end. */
  insnOffsets: readonly number[];
  /** Index in the whole image of the function's first instruction. */
  start: number;
  shape: FunctionShape;
}

/**
 * A tail call with a known map and index, which the machine code has as a jump: setTailCallTarget() of the JIT room
 * changes it whenever the slot of the map changes.
 */
export interface DirectTailCall {
  mapId: number;
  key: number;
  /** Index in `functions`. */
  func: number;
  site: PokeSite;
}

export interface FinishedProgram {
  /** The whole image as the kernel keeps it: helper calls relative to __bpf_call_base, map addresses in ldimm64. */
  insns: Insn[];
  /** The same as user space may see it (bpf_insn_prepare_dump): wire bytes. */
  xlated: Uint8Array;
  /** For each of `insns` the loaded instruction that it stands for; -1: none. */
  origins: number[];
  tag: Uint8Array;
  functions: FinishedFunction[];
  tailCalls: DirectTailCall[];
  funcInfo: FuncInfo[];
  lineInfo: LineInfo[];
  /** Address of the machine code of each line record. */
  jitedLineInfo: bigint[];
  /** Pages × 4096 charged for the program. */
  memlock: number;
}
