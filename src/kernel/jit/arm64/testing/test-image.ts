// A kernel image that knows only what arm64 code generation asks for.
import type { CpuSettings, KernelImage } from '../../../image/image.ts';
import type { PlacedInput } from '../compile.ts';
import { ARM64_DEFAULTS, type Arm64Settings } from '../settings.ts';
import type { RandomProgram } from './random-program.ts';

/** Addresses of kernel functions of the image. */
export const CALL_BASE = 0xffff800080200000n;
export const TIMED_MAY_GOTO = CALL_BASE + 0x40n;

const SYMBOLS: Readonly<Record<string, bigint>> = {
  __bpf_call_base: CALL_BASE,
  arch_bpf_timed_may_goto: TIMED_MAY_GOTO,
};

/** Offsets as in the kernel that the test data come from. */
const OFFSETS: Readonly<Record<string, number>> = {
  'bpf_array.map.max_entries': 76,
  'bpf_array.ptrs': 312,
  'bpf_prog.bpf_func': 72,
  'thread_info.cpu': 16,
};

const absent = (): never => {
  throw new Error('not part of the test image');
};

const X86: CpuSettings = {
  bmi2: false,
  retpoline: 'none',
  returnThunk: undefined,
  sls: false,
  ibt: false,
  callDepthTracking: false,
  its: false,
  clearBhb: false,
};

/** `callBase` moves the kernel's functions. */
export function testImage(arm64: Arm64Settings = ARM64_DEFAULTS, callBase: bigint = CALL_BASE): KernelImage {
  return {
    release: '6.18.0',
    version: '',
    machine: 'aarch64',
    pageSize: 4096,
    possibleCpus: 2,
    hz: 250,
    cpu: { ...X86, arm64 },
    btf: absent,
    btfBytes: absent,
    symbolAddress: (name) => (name in SYMBOLS ? SYMBOLS[name] - CALL_BASE + callBase : undefined),
    symbolAt: () => undefined,
    config: () => undefined,
    sysctl: () => undefined,
    offsetOf: (struct, member) => OFFSETS[`${struct}.${member}`] ?? absent(),
    sizeOf: absent,
  };
}

/** A generated program as the emitter takes it; the sizes asked for go to `sizes`. */
export function testInput(p: RandomProgram, sizes: number[] = []): PlacedInput {
  let next = 0;
  const stacks = p.privateStacks.filter((_, i) => p.functions[i].privateStack);
  return {
    functions: p.functions,
    image: testImage(p.settings),
    arena: p.arena,
    classic: p.classic,
    clearBranchHistory: p.clearBranchHistory,
    allocate: (bytes) => {
      sizes.push(bytes);
      return p.addresses[next++];
    },
    allocatePerCpu: () => stacks.shift() ?? 0n,
  };
}
