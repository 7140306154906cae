// What later passes need to know of helper calls: which map, which key, whether a loop can be inlined. Rule:
// record_func_map, record_func_key, update_loop_inline_state, verifier.c, 6.18.
import { ERRNO } from '../../errno.ts';
import { HELPER, MAP_TYPE } from '../../isa/uapi.ts';
import type { KMap } from '../objects.ts';
import type { VerifierEnv } from './env.ts';
import { markChainPrecision } from './precision.ts';
import { isRegConst, regIsNull } from './scalar-marks.ts';
import type { InsnAux } from './types.ts';
import { verifierBug } from './verifier-bug.ts';

/** Bits of InsnAux.mapKeyState above the key itself. */
export const MAP_KEY = { POISON: 1n << 63n, SEEN: 1n << 62n } as const;

const F_RDONLY_PROG = 1 << 7;

/** Helpers that are replaced by what the map's type does. */
const SPECIALISED: ReadonlySet<number> = new Set([
  HELPER.tail_call,
  HELPER.map_lookup_elem,
  HELPER.map_update_elem,
  HELPER.map_delete_elem,
  HELPER.map_push_elem,
  HELPER.map_pop_elem,
  HELPER.map_peek_elem,
  HELPER.for_each_map_elem,
  HELPER.redirect_map,
  HELPER.map_lookup_percpu_elem,
]);
const WRITES_MAP: ReadonlySet<number> = new Set([
  HELPER.map_delete_elem,
  HELPER.map_update_elem,
  HELPER.map_push_elem,
  HELPER.map_pop_elem,
]);

/** Notes the map of a call; another one on a different path makes the state "poison". */
export function noteCallMap(env: VerifierEnv, map: KMap | undefined, id: number, insnIdx: number): number {
  if (!SPECIALISED.has(id)) return 0;
  if (map === undefined) return verifierBug(env, 'expected map for helper call');
  if ((map.flags & F_RDONLY_PROG) !== 0 && WRITES_MAP.has(id)) {
    env.log.write('write into map forbidden\n');
    return -ERRNO.EACCES;
  }
  const aux = env.aux[insnIdx];
  const known = aux.mapPtrState;
  if (known?.map === undefined || known.map !== map) {
    aux.mapPtrState = {
      map,
      poison: known?.poison === true || known?.map !== undefined,
      unpriv: known?.unpriv === true || !map.bypassSpecV1,
    };
  }
  return 0;
}

function storeKey(aux: InsnAux, state: bigint): void {
  aux.mapKeyState = state | MAP_KEY.SEEN | (aux.mapKeyState & MAP_KEY.POISON);
}

/** Notes the index of a tail call, if it is the same constant on all paths. */
export function noteCallKey(env: VerifierEnv, map: KMap | undefined, id: number, insnIdx: number): number {
  if (id !== HELPER.tail_call) return 0;
  if (map === undefined || map.type !== MAP_TYPE.prog_array) {
    env.log.write('expected prog array map for tail call');
    return -ERRNO.EINVAL;
  }
  const aux = env.aux[insnIdx];
  const reg = env.regs[3];
  const { value } = reg.varOff;
  if (!isRegConst(reg) || value >= BigInt(map.maxEntries)) {
    storeKey(aux, MAP_KEY.POISON);
    return 0;
  }
  const err = markChainPrecision(env, 3);
  if (err !== 0) return err;
  const known = aux.mapKeyState;
  if ((known & MAP_KEY.SEEN) === 0n) storeKey(aux, value);
  else if ((known & MAP_KEY.POISON) === 0n && (known & ~(MAP_KEY.SEEN | MAP_KEY.POISON)) !== value) {
    storeKey(aux, MAP_KEY.POISON);
  }
  return 0;
}

/** bpf_loop can be inlined if its flags are 0 and its callback is the same on all paths. */
export function noteLoopInline(env: VerifierEnv, subprogno: number): void {
  const aux = env.aux[env.insnIdx];
  const flagsAreZero = (): boolean => {
    if (!regIsNull(env.regs[4])) return false;
    markChainPrecision(env, 4);
    return true;
  };
  const known = aux.loopInline;
  if (known === undefined) {
    aux.loopInline = { fitForInline: flagsAreZero(), callbackSubprogno: subprogno };
  } else if (known.fitForInline) {
    known.fitForInline = flagsAreZero() && known.callbackSubprogno === subprogno;
  }
}
