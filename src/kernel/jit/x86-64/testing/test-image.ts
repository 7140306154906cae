// A kernel image that knows only what x86-64 code generation asks for, with any processor and mitigations.
import type { CpuSettings, KernelImage } from '../../../image/image.ts';
import { fixtureImage, PLAIN_CPU } from '../../fixture.ts';

/** What code depends on besides the processor: was the kernel built with retpolines. */
export type TestSettings = Partial<CpuSettings> & { builtWithRetpoline?: boolean };

/** Return thunks by name, as the mitigations choose them. */
export const RETURN_THUNKS = [
  '__x86_return_thunk',
  'retbleed_return_thunk',
  'srso_return_thunk',
  'srso_alias_return_thunk',
  'call_depth_return_thunk',
  'its_return_thunk',
] as const;

const SYMBOLS: Readonly<Record<string, string>> = {
  __bpf_call_base: '0xffffffff81000000',
  __x86_indirect_thunk_rcx: '0xffffffff81300020',
  __x86_indirect_jump_thunk_rcx: '0xffffffff81300220',
  __x86_indirect_its_thunk_rcx: '0xffffffff81300460',
  __x86_call_depth: '0xffffffff82a01010',
  clear_bhb_loop: '0xffffffff81400000',
  this_cpu_off: '0xffffffff82a01008',
  ...Object.fromEntries(RETURN_THUNKS.map((name, i) => [name, `0xffffffff8120${i}040`])),
};

export function testImage({ builtWithRetpoline = true, ...cpu }: TestSettings = {}): KernelImage {
  const image = fixtureImage({ release: '6.18.0', cpu: { ...PLAIN_CPU, ...cpu }, symbols: SYMBOLS });
  return {
    ...image,
    config: (name) => (name === 'CONFIG_MITIGATION_RETPOLINE' && builtWithRetpoline ? 'y' : undefined),
  };
}
