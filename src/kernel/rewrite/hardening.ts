// net.core.bpf_jit_harden: constants of programs that others wrote are hidden from the machine code.
import type { VerifierEnv } from '../verifier/env.ts';

/** True where constants of this program are blinded. rule: bpf_jit_blinding_enabled, 6.18 */
export function jitHardening(env: VerifierEnv): boolean {
  const level = Number(env.image.sysctl('net/core/bpf_jit_harden') ?? '0');
  if (level === 0) return false;
  return level !== 1 || !env.bpfCapable;
}
