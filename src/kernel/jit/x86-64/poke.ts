// Changing a constant tail call in code that is already there, when its slot is filled or emptied.
import type { PokeSite } from '../jit.ts';
import { NOP5 } from './assembler.ts';
import { PATCH_BYTES } from './tail-call.ts';

/**
 * Points the tail call at `site` to `entry`, the address that execution continues at (the target's code beyond its
 * prologue), or switches it off with undefined. `code` lies at `address` and is changed in place.
 * rule: bpf_arch_poke_desc_update, 6.18
 */
export function pokeTailCall(code: Uint8Array, address: bigint, site: PokeSite, entry: bigint | undefined): void {
  if (entry === undefined) {
    writeJump(code, address, site.bypass, address + BigInt(site.target + PATCH_BYTES));
    code.set(NOP5, site.target);
  } else {
    writeJump(code, address, site.target, entry);
    code.set(NOP5, site.bypass);
  }
}

function writeJump(code: Uint8Array, address: bigint, at: number, target: bigint): void {
  const delta = Number(BigInt.asIntN(32, target - (address + BigInt(at + PATCH_BYTES))));
  code.set([0xe9, delta & 0xff, (delta >> 8) & 0xff, (delta >> 16) & 0xff, (delta >> 24) & 0xff], at);
}
