// A kernel image that knows only what arm64 code generation asks for.
import type { KernelImage } from '../../../image/image.ts';
import { fixtureImage, PLAIN_CPU } from '../../fixture.ts';
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

/** `callBase` moves the kernel's functions. */
export function testImage(arm64: Arm64Settings = ARM64_DEFAULTS, callBase: bigint = CALL_BASE): KernelImage {
  return {
    ...fixtureImage({ release: '6.18.0', cpu: { ...PLAIN_CPU, bmi2: false, arm64 }, symbols: {} }),
    machine: 'aarch64',
    symbolAddress: (name) => (name in SYMBOLS ? SYMBOLS[name] - CALL_BASE + callBase : undefined),
    config: () => undefined,
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
