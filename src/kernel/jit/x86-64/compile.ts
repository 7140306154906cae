// From functions to machine code: passes until the sizes settle, then addresses, then the code itself.
import { type Insn, LDIMM64 } from '../../../isa/insn.ts';
import { CALL_KIND, CLASS, JMP, PSEUDO } from '../../../isa/opcode.ts';
import { blindConstants } from '../blinding.ts';
import type { JitFunctionInput, JitInput, JitOutput } from '../jit.ts';
import { MODULES_START } from '../pack-allocator.ts';
import { tailCallOffset } from './entry.ts';
import { Frame, giveUp, PRIVATE_STACK_GUARD, roundUp8 } from './frame.ts';
import { runPass } from './pass.ts';
import { pokeTailCall } from './poke.ts';

const MAX_PASSES = 20;
/** From this pass on code keeps its size. */
const PADDING_PASS = MAX_PASSES - 5;
/** Bytes of `struct exception_table_entry`, which follow the code. */
const EXCEPTION_ENTRY_BYTES = 12;
const CALL = CLASS.JMP | JMP.CALL;
/** Per-CPU memory is taken from here when the caller has no allocator: the first dynamic chunk of Linux. */
const PER_CPU_START = 0x607f80000000n;

/** What compileProgram needs beyond the program: where code goes. */
export type PlacedInput = JitInput & { allocate: (bytes: number) => bigint };

/** rule: jit_subprogs and bpf_int_jit_compile, 6.18. Throws SysError ENOTSUPP. */
export function compileProgram(input: PlacedInput): JitOutput[] {
  const perCpu = input.allocatePerCpu ?? perCpuBump();
  const several = input.functions.length > 1;
  const sources = input.functions.map((f) => prepare(f, input, several));
  const frames = sources.map(({ source, insns }) => {
    const bytes = roundUp8(source.stackDepth) + 2 * PRIVATE_STACK_GUARD;
    const frame = new Frame(source, insns, input, source.privateStack ? perCpu(bytes) : undefined);
    const length = settle(frame);
    frame.base = input.allocate(((length + 3) & ~3) + EXCEPTION_ENTRY_BYTES * frame.exceptions.length);
    return frame;
  });
  if (several) resolveFunctions(frames);
  return frames.map((frame, i) => {
    frame.padding ||= several;
    runPass(frame);
    return output(frame, sources[i].firstSlots, input);
  });
}

interface Prepared {
  source: JitFunctionInput;
  /** What is compiled instead of the source's instructions. */
  insns: Insn[];
  /** Where each of the source's instructions begins in it; undefined where it has not moved. */
  firstSlots: readonly number[] | undefined;
}

/** The function with placeholders for addresses of functions, blinded if asked for. */
function prepare(input: JitFunctionInput, program: JitInput, several: boolean): Prepared {
  const insns = input.insns.slice();
  if (several) {
    for (let i = 0; i < insns.length; i++) {
      if (isFunctionAddress(insns[i])) setImm64(insns, i, MODULES_START);
      else if (isPseudoCall(insns[i])) setImm(insns, i, 1);
      if (insns[i].code === LDIMM64) i++;
    }
  }
  if (!program.blinding) return { source: input, insns, firstSlots: undefined };
  const random = program.random;
  if (!random) throw giveUp('constant blinding without a source of keys');
  const blinded = blindConstants(insns, random);
  return { source: input, ...blinded };
}

const isFunctionAddress = (x: { code: number; src: number }): boolean => x.code === LDIMM64 && x.src === PSEUDO.FUNC;
const isPseudoCall = (x: { code: number; src: number }): boolean => x.code === CALL && x.src === CALL_KIND.PSEUDO;

/** Replaces what changes: the other instructions are the caller's. */
function setImm(insns: Insn[], at: number, imm: number): void {
  insns[at] = { ...insns[at], imm };
}

function setImm64(insns: Insn[], at: number, value: bigint): void {
  if (at + 1 >= insns.length) throw giveUp('half a 64-bit constant');
  setImm(insns, at, Number(BigInt.asIntN(32, value)));
  setImm(insns, at + 1, Number(BigInt.asIntN(32, value >> 32n)));
}

/** Repeats passes until one has the length of the one before. */
function settle(frame: Frame): number {
  let before = 0;
  for (let pass = 0; pass < MAX_PASSES; pass++) {
    if (pass >= PADDING_PASS) frame.padding = true;
    const length = runPass(frame);
    if (length === before) return length;
    before = length;
  }
  throw giveUp('code sizes do not settle');
}

/** Puts the addresses of functions where placeholders stood. */
function resolveFunctions(frames: readonly Frame[]): void {
  for (const frame of frames) {
    const { insns } = frame;
    for (let i = 0; i < insns.length; i++) {
      const x = insns[i];
      if (isFunctionAddress(x)) setImm64(insns, i, addressOf(frames, x.off));
      else if (isPseudoCall(x)) {
        const relative = addressOf(frames, x.off) - frame.symbol('__bpf_call_base');
        setImm(insns, i, Number(BigInt.asIntN(32, relative)));
      }
      if (x.code === LDIMM64) i++;
    }
  }
}

function addressOf(frames: readonly Frame[], index: number): bigint {
  const address = frames[index]?.base;
  if (address === undefined) throw giveUp(`there is no function ${index}`);
  return address;
}

function output(frame: Frame, firstSlots: Prepared['firstSlots'], program: JitInput): JitOutput {
  const { addrs, insns } = frame;
  // The second half of a 64-bit constant has no code of its own and never got an offset.
  for (let i = 0; i + 1 < insns.length; i++) if (insns[i].code === LDIMM64) addrs[i + 1] = addrs[i++];
  const result: JitOutput = {
    bytes: frame.asm.take(),
    address: frame.base as bigint,
    insnOffsets: firstSlots ? [...firstSlots.map((slot) => addrs[slot]), addrs[insns.length]] : Array.from(addrs),
    exceptionTable: frame.exceptions,
    pokes: frame.pokes,
    privateStack: frame.privateStack,
  };
  const entry = BigInt(tailCallOffset(frame.cpu.ibt));
  for (const site of frame.pokes) {
    const target = program.pokeTable?.[site.index]?.target;
    if (target !== undefined) pokeTailCall(result.bytes, result.address, site, target + entry);
  }
  return result;
}

function perCpuBump(): (bytes: number) => bigint {
  let next = PER_CPU_START;
  return (bytes) => {
    const address = next;
    next += BigInt(roundUp8(bytes));
    return address;
  };
}
