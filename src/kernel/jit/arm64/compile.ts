// From functions to machine code: a pass for the greatest size, a place for that, then passes with all addresses known.
import { CLASS, MODE } from '../../../isa/opcode.ts';
import { blindConstants } from '../blinding.ts';
import type { JitFunctionInput, JitInput, JitOutput } from '../jit.ts';
import { PLT_TARGET_BYTES } from './entry.ts';
import { Frame, PRIVATE_STACK_GUARD, roundUp16, WORD_BYTES } from './frame.ts';
import { giveUp } from './give-up.ts';
import { runPass } from './pass.ts';

/** Bytes of `struct exception_table_entry`, which follow the code. */
const EXCEPTION_ENTRY_BYTES = 12;
/** Per-CPU memory is taken from here when the caller has no allocator: the first dynamic chunk of Linux. */
const PER_CPU_START = 0x607f80000000n;

/** What compileProgram needs beyond the program: where code goes. */
export type PlacedInput = JitInput & { allocate: (bytes: number) => bigint };

/** A function, and where its instructions have gone if constants were blinded. */
interface Source {
  input: JitFunctionInput;
  firstSlots: number[];
}

/** rule: jit_subprogs and bpf_int_jit_compile, 6.18. Throws SysError ENOTSUPP. */
export function compileProgram(program: PlacedInput): JitOutput[] {
  const perCpu = program.allocatePerCpu ?? perCpuBump();
  const sources = program.functions.map((f) => prepare(f, program));
  const frames = sources.map(({ input }) => {
    const stackBytes = roundUp16(input.stackDepth) + 2 * PRIVATE_STACK_GUARD;
    const frame = new Frame(input, program, input.privateStack ? perCpu(stackBytes) : undefined);
    runPass(frame);
    const faults = frame.ops.filter((op) => FAULTING.has(op.code & FAULTING_MASK)).length;
    const bytes = frame.at * WORD_BYTES + PLT_TARGET_BYTES + EXCEPTION_ENTRY_BYTES * faults;
    frame.base = program.allocate(bytes);
    settle(frame);
    return frame;
  });
  if (frames.length > 1) {
    const addresses = frames.map(address);
    for (const frame of frames) {
      frame.functions = addresses;
      settle(frame);
    }
  }
  return frames.map((frame, i) => output(frame, sources[i].firstSlots));
}

/** Classes and modes of the instructions that get an entry in the exception table. */
const FAULTING_MASK = 0xe7;
const FAULTING: ReadonlySet<number> = new Set([
  CLASS.LDX | MODE.PROBE_MEM,
  CLASS.LDX | MODE.PROBE_MEMSX,
  CLASS.LDX | MODE.PROBE_MEM32,
  CLASS.LDX | MODE.PROBE_MEM32SX,
  CLASS.ST | MODE.PROBE_MEM32,
  CLASS.STX | MODE.PROBE_MEM32,
  CLASS.STX | MODE.PROBE_ATOMIC,
]);

function prepare(input: JitFunctionInput, { blinding, random }: JitInput): Source {
  if (!blinding) return { input, firstSlots: input.insns.map((_, i) => i) };
  if (!random) throw giveUp('constant blinding without a source of keys');
  const { insns, firstSlots } = blindConstants(
    input.insns.map((x) => ({ ...x })),
    random,
  );
  return { input: { ...input, insns }, firstSlots };
}

/** One pass for the offsets, one with them. Sizes depend on addresses only, so the second changes none. */
function settle(frame: Frame): void {
  runPass(frame);
  const { epilogue } = frame;
  runPass(frame);
  if (frame.epilogue !== epilogue) throw giveUp('code sizes do not settle');
}

/** Words before the entry of the function: the hash of its type. */
const wordsBefore = ({ settings }: Frame): number => (settings.cfi ? 1 : 0);

const address = (frame: Frame): bigint => (frame.base ?? 0n) + BigInt(wordsBefore(frame) * WORD_BYTES);

/** Offsets are from the start of the image, as Linux counts them, also where a hash stands there. */
function output(frame: Frame, firstSlots: readonly number[]): JitOutput {
  const { offsets, words } = frame;
  const before = wordsBefore(frame);
  const bytes = new Uint8Array((words.length - before) * WORD_BYTES);
  const view = new DataView(bytes.buffer);
  for (let i = before; i < words.length; i++) view.setUint32((i - before) * WORD_BYTES, words[i], true);
  const offset = (slot: number): number => offsets[slot] * WORD_BYTES;
  return {
    bytes,
    address: address(frame),
    insnOffsets: [...firstSlots.map(offset), offset(offsets.length - 1)],
    exceptionTable: frame.exceptions,
    pokes: [],
    privateStack: frame.privateStack,
  };
}

function perCpuBump(): (bytes: number) => bigint {
  let next = PER_CPU_START;
  return (bytes) => {
    const at = next;
    next += BigInt(bytes);
    return at;
  };
}
