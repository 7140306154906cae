// Test data of machine code: what a running kernel made of a program, and what our emitter needs to make the same.
import { decodeInsns, type Insn } from '../../isa/insn.ts';
import type { CpuSettings, KernelImage } from '../image/image.ts';
import type { JitFunctionInput, JitInput } from './jit.ts';

/** Addresses are hexadecimal strings. */
export interface FixtureKernel {
  release: string;
  cpu: CpuSettings;
  symbols: Record<string, string>;
}

export interface FixtureFunction {
  /** Wire form, with addresses in place. */
  insns: string;
  depth: number;
  /** Reaches a tail call. */
  tail?: boolean;
  /** Address of the private stack. */
  privateStack?: string;
  /** Is the exception callback; can throw. */
  handler?: boolean;
  boundary?: boolean;
  address: string;
  /** Machine code; empty where the kernel does not show it. */
  bytes: string;
}

export interface FixtureCase {
  name: string;
  functions: FixtureFunction[];
  /** Poke table: address of the program in the slot. */
  pokes?: (string | null)[];
  /** Start of the arena for the kernel and for user space. */
  arena?: [string, string];
}

export interface Fixture {
  kernel: FixtureKernel;
  cases: FixtureCase[];
}

/** Offsets of the kernel that the test data come from. */
const OFFSETS: Readonly<Record<string, number>> = {
  'bpf_array.map.max_entries': 76,
  'bpf_array.ptrs': 312,
  'bpf_prog.bpf_func': 72,
  'thread_info.cpu': 16,
};

const absent = (): never => {
  throw new Error('not part of a machine code fixture');
};

/** A modern processor without any mitigation. */
export const PLAIN_CPU: CpuSettings = {
  bmi2: true,
  retpoline: 'none',
  returnThunk: undefined,
  sls: false,
  ibt: false,
  callDepthTracking: false,
  its: false,
  clearBhb: false,
};

/** A main function that uses no stack, nor anything else that the emitter is told of. */
export const plainFunction = (insns: readonly Insn[], more: Partial<JitFunctionInput> = {}): JitFunctionInput => ({
  insns,
  stackDepth: 0,
  isSubprog: false,
  tailCallReachable: false,
  exceptionCallback: false,
  exceptionBoundary: false,
  privateStack: false,
  ...more,
});

/** A kernel image that knows only what code generation asks for. */
export function fixtureImage(kernel: FixtureKernel): KernelImage {
  return {
    release: kernel.release,
    version: '',
    machine: 'x86_64',
    pageSize: 4096,
    possibleCpus: 2,
    hz: 250,
    cpu: kernel.cpu,
    btf: absent,
    btfBytes: absent,
    symbolAddress: (name) => (name in kernel.symbols ? BigInt(kernel.symbols[name]) : undefined),
    symbolAt: () => undefined,
    config: (name) => (name === 'CONFIG_MITIGATION_RETPOLINE' ? 'y' : undefined),
    sysctl: () => undefined,
    offsetOf: (struct, member) => OFFSETS[`${struct}.${member}`] ?? absent(),
    sizeOf: absent,
  };
}

/** The program of a case, with code placed where the kernel placed it. */
export function fixtureInput(item: FixtureCase, image: KernelImage): JitInput {
  const places = item.functions.map((f) => BigInt(f.address));
  const stacks = item.functions.flatMap((f) => (f.privateStack === undefined ? [] : [BigInt(f.privateStack)]));
  return {
    image,
    functions: item.functions.map((f, i) => ({
      insns: decodeInsns(Buffer.from(f.insns, 'hex')),
      stackDepth: f.depth,
      isSubprog: i > 0,
      tailCallReachable: f.tail ?? false,
      exceptionCallback: f.handler ?? false,
      exceptionBoundary: f.boundary ?? false,
      privateStack: f.privateStack !== undefined,
    })),
    pokeTable: item.pokes?.map((target) => ({ target: target === null ? undefined : BigInt(target) })),
    arena: item.arena && { kernStart: BigInt(item.arena[0]), userStart: BigInt(item.arena[1]) },
    allocate: () => places.shift() ?? 0n,
    allocatePerCpu: () => stacks.shift() ?? 0n,
  };
}
