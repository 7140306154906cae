// Tail calls.
import { ERRNO } from '../../../errno.ts';
import type { Insn } from '../../../isa/insn.ts';
import { ALU, CLASS, JMP } from '../../../isa/opcode.ts';
import { MAP_KEY } from '../../verifier/call-aux.ts';
import type { VerifierEnv } from '../../verifier/env.ts';
import type { InsnAux } from '../../verifier/types.ts';
import { aluImm, jumpImm } from '../build.ts';
import { jitHardening } from '../hardening.ts';
import { rewriteState } from '../state.ts';
import { indexMask } from './map-lookup.ts';

const MAX_PACKET_OFF = 0xffff;
/** Entries of a poke table. */
const MAX_POKES = 1024;
/** Register with the index. */
const INDEX = 3;

/**
 * The tail call under its own opcode; `imm` n > 0 names entry n - 1 of the poke table. Or a negative errno.
 * rule: do_misc_fixups, 6.18
 */
export function fixTailCall(env: VerifierEnv, insn: Insn, aux: InsnAux): Insn[] | number {
  // What the next program does to the packet is not known.
  env.progFlags.add('cb_access');
  env.maxPktOffset = MAX_PACKET_OFF;
  insn.imm = 0;
  insn.code = CLASS.JMP | JMP.TAIL_CALL;

  const { map, poison, unpriv } = aux.mapPtrState ?? { map: undefined, poison: false, unpriv: false };
  const keyKnown = (aux.mapKeyState & MAP_KEY.POISON) === 0n;
  if (env.bpfCapable && !jitHardening(env) && keyKnown && map !== undefined && !poison && !unpriv) {
    const { tailCalls } = rewriteState(env);
    const key = Number(aux.mapKeyState & ~(MAP_KEY.SEEN | MAP_KEY.POISON));
    if (tailCalls.length === MAX_POKES) {
      env.log.write('adding tail call poke descriptor failed\n');
      return -ERRNO.ENOSPC;
    }
    insn.imm = tailCalls.push({ map, key });
    return [insn];
  }
  if (!unpriv || map === undefined) return [insn];
  if (poison) {
    env.log.write('tail_call abusing map_ptr\n');
    return -ERRNO.EINVAL;
  }
  return [jumpImm(JMP.JGE, INDEX, map.maxEntries, 2), aluImm(ALU.AND, INDEX, indexMask(map.maxEntries), 32), insn];
}
