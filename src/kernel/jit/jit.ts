// Machine code of a finished program: what goes in, what comes out, and the way from one to the other. The emitter of
// the machine itself stands in its own folder.
import type { Insn } from '../../isa/insn.ts';
import type { CodeArch } from '../../syscall.ts';
import type { KernelImage } from '../image/image.ts';
import { compileProgram as compileArm64 } from './arm64/compile.ts';
import { isArm64 } from './arm64/settings.ts';
import { PackAllocator } from './pack-allocator.ts';
import { compileProgram } from './x86-64/compile.ts';
import { tailCallOffset } from './x86-64/entry.ts';
import { pokeTailCall } from './x86-64/poke.ts';

/** A constant tail call whose target is written into the code: one entry of the program's poke table. */
export interface PokeDescriptor {
  /** Address of the machine code of the program that is in the slot now; undefined: the slot is empty. */
  target: bigint | undefined;
}

/** Arena of a program: where its pages begin for the kernel and for user space. */
export interface ArenaRange {
  kernStart: bigint;
  userStart: bigint;
}

/** One function, main first. */
export interface JitFunctionInput {
  /**
   * The rewritten instructions of this function alone: helper and kfunc calls with `imm` relative to
   * `__bpf_call_base`, map addresses in place. Pseudo calls and `ldimm64` of a function carry the index of the
   * callee among the functions in `off`; their `imm` is not read.
   */
  insns: readonly Insn[];
  /** Bytes of stack as verification and rewriting left it (`aux->stack_depth`); not yet rounded. */
  stackDepth: number;
  /** False of the main function only (`bpf_is_subprog`). */
  isSubprog: boolean;
  tailCallReachable: boolean;
  /** This function is the exception callback. */
  exceptionCallback: boolean;
  /** Main function of a program that can throw. */
  exceptionBoundary: boolean;
  /** The stack lives in per-CPU memory (`jits_use_priv_stack`). */
  privateStack: boolean;
}

/** What of a function's input outlives its compilation, so that it can be compiled again. */
export type FunctionShape = Omit<JitFunctionInput, 'insns'> & {
  /** Number of its instructions. */
  length: number;
  /** Constants were blinded. */
  blinded: boolean;
};

/** All functions of one program. */
export interface JitInput {
  functions: readonly JitFunctionInput[];
  image: KernelImage;
  /** Machine to compile for; that of the image if not given. */
  arch?: CodeArch;
  /** Poke table of the whole program: a tail call with `imm` n uses entry n - 1, with `imm` 0 the map at run time. */
  pokeTable?: readonly PokeDescriptor[];
  arena?: ArenaRange;
  /** Was classic BPF: no tail call slot in the prologue. */
  classic?: boolean;
  /** Classic program of somebody without CAP_SYS_ADMIN: branch history is cleared at the end. */
  clearBranchHistory?: boolean;
  /** bpf_jit_harden asks for constant blinding of this program. */
  blinding?: boolean;
  /** Source of blinding keys, unsigned 32-bit; needed with `blinding` only. */
  random?: () => number;
  /** Address for code and exception table of this many bytes; the default packs them as Linux does. */
  allocate?: (bytes: number) => bigint;
  /** Per-CPU pointer to this many bytes, as `__alloc_percpu` gives it. */
  allocatePerCpu?: (bytes: number) => bigint;
}

/** Entry of the exception table: the load or store at `insnOffset` may fault and is then skipped. */
export interface ExceptionEntry {
  insnOffset: number;
  /**
   * x86-64: instruction length in bits 0-7, cleared register in 8-15, arena register in 16-23, arena flag in 31.
   * arm64: offset in bits 0-15, arena register in 16-20, arena flag in 21, cleared register in 27-31.
   */
  fixup: number;
  data: number;
}

/** Where a constant tail call can be patched; offsets in bytes of the function's code, each a 5-byte instruction. */
export interface PokeSite {
  /** Entry of the poke table. */
  index: number;
  /** Jump that skips the tail call while the slot is empty, no-op otherwise. */
  bypass: number;
  /** Jump to the target while the slot is filled, no-op otherwise. */
  target: number;
}

export interface JitOutput {
  bytes: Uint8Array;
  address: bigint;
  /** Offset of the code of instruction i of `insns`; one entry more for the end. */
  insnOffsets: number[];
  exceptionTable: ExceptionEntry[];
  pokes: PokeSite[];
  /** Per-CPU pointer of the private stack. */
  privateStack: bigint | undefined;
}

/** Architecture whose machine code the kernel of an image makes. */
export const archOf = (image: KernelImage): CodeArch => (isArm64(image) ? 'arm64' : 'x86-64');

/**
 * Compiles all functions of a program for the machine of `input.image` or for `input.arch`, addresses included. Throws
 * SysError ENOTSUPP where Linux gives up on a program.
 * rule: jit_subprogs, bpf_int_jit_compile, 6.18
 */
export function jitProgram(input: JitInput): JitOutput[] {
  const packs = new PackAllocator();
  const placed = { ...input, allocate: input.allocate ?? ((bytes: number) => packs.allocate(bytes)) };
  return (input.arch ?? archOf(input.image)) === 'arm64' ? compileArm64(placed) : compileProgram(placed);
}

/**
 * Points a constant tail call of compiled code to the program whose code is at `target`, or switches it off with
 * undefined, as a change of the prog array does. Changes `code.bytes` in place.
 */
export function setTailCallTarget(
  code: Pick<JitOutput, 'bytes' | 'address'>,
  site: PokeSite,
  target: bigint | undefined,
  image: KernelImage,
): void {
  const entry = target === undefined ? undefined : target + BigInt(tailCallOffset(image.cpu.ibt));
  pokeTailCall(code.bytes, code.address, site, entry);
}
