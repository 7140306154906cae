// BPF_PROG_TEST_RUN of the running kernel.
import { Block, type NativeCalls } from '../../src/live/bpf-call.ts';

/** BPF_PROG_TEST_RUN */
const COMMAND = 10;
const ATTR_BYTES = 80;
/** What a program may have made its packet into. */
const MAX_DATA = 1 << 16;

export interface TestRunInput {
  /** Packet; none for programs that have none. */
  data?: Uint8Array;
  /** Context; changed by programs of type syscall. */
  context?: Uint8Array;
}

export interface TestRunOutput {
  /** r0 as far as it is handed on, unsigned 32-bit. */
  retval: number;
  /** The packet afterwards. */
  data: Uint8Array;
}

/** Runs a loaded program once; throws SysError. */
export function testRun(native: NativeCalls, fd: number, { data, context }: TestRunInput): TestRunOutput {
  const out = new Uint8Array(MAX_DATA);
  const block = new Block(native, ATTR_BYTES).setU32(0, fd);
  if (data !== undefined) {
    block.setU32(8, data.length).setU32(12, out.length).setPointer(16, data).setPointer(24, out);
  }
  if (context !== undefined) block.setU32(40, context.length).setPointer(48, context);
  native.bpf(COMMAND, block.bytes);
  return { retval: block.u32(4), data: out.slice(0, data === undefined ? 0 : block.u32(12)) };
}
