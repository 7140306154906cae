// Map keys that are known constants. Rule: get_constant_map_key, verifier.c, 6.18.
import type { VerifierEnv } from './env.ts';
import { constOffset, frameOf } from './frames.ts';
import { markChainPrecisionBatch } from './precision.ts';
import { isSpilledScalarReg } from './slots.ts';
import { REG, type RegState, SLOT } from './types.ts';

/**
 * The key that a stack pointer leads to, signed: bytes that are all zero, or a spilled constant of exactly that size.
 * Undefined if it is not known; a number is the negative errno of a failed walk back.
 */
export function constantMapKey(env: VerifierEnv, key: RegState, keySize: number): bigint | number | undefined {
  if (!env.bpfCapable || key.type !== REG.STACK || key.varOff.mask !== 0n) return undefined;
  const at = -constOffset(key) - 1;
  const spi = Math.trunc(at / 8);
  const slot = frameOf(env, key).stack[spi];
  if (slot === undefined) return undefined;
  const first = at & 7;
  const run = (type: number): number => {
    let n = 0;
    while (n <= first && slot.types[first - n] === type) n++;
    return n;
  };
  if (run(SLOT.ZERO) >= keySize) return 0n;
  if (!isSpilledScalarReg(slot) || run(SLOT.SPILL) !== keySize || slot.spilled.varOff.mask !== 0n) return undefined;
  env.backtrack.setSlot(key.frameno, spi);
  const err = markChainPrecisionBatch(env, env.state);
  return err < 0 ? err : BigInt.asIntN(64, slot.spilled.varOff.value);
}
