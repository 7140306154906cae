// Whether what is known of one register is covered by what is known of another. Rule: regsafe, verifier.c, 6.18.
import type { VerifierEnv } from './env.ts';
import { checkIds, checkScalarIds } from './id-map.ts';
import { ADD_CONST_MASK, baseType, REG, type RegState, type Tnum } from './types.ts';

/**
 * How close two states must be. NOT: what the old one showed to matter. EXACT: the same. RANGE_WITHIN: all that the old
 * one has, whether it is known to matter or not (its marks are not final).
 */
export const EXACT_LEVEL = { NOT: 0, EXACT: 1, RANGE_WITHIN: 2 } as const;

/** Type, offset and what the type refers to are the same: `memcmp` up to var_off. */
function sameKind(a: RegState, b: RegState): boolean {
  return (
    a.type === b.type &&
    a.off === b.off &&
    a.range === b.range &&
    a.map === b.map &&
    a.mapUid === b.mapUid &&
    a.btf === b.btf &&
    a.btfId === b.btfId &&
    a.memSize === b.memSize &&
    a.dynptrId === b.dynptrId &&
    a.dynptrType === b.dynptrType &&
    a.dynptrFirstSlot === b.dynptrFirstSlot &&
    a.iterState === b.iterState &&
    a.iterDepth === b.iterDepth &&
    a.irqClass === b.irqClass &&
    a.subprogno === b.subprogno
  );
}

/** Values as well: `memcmp` up to the id. */
export function sameValue(a: RegState, b: RegState): boolean {
  // What differs most often comes first.
  return (
    a.type === b.type &&
    a.u32min === b.u32min &&
    a.u32max === b.u32max &&
    a.s32min === b.s32min &&
    a.s32max === b.s32max &&
    (a.varOff === b.varOff || (a.varOff.value === b.varOff.value && a.varOff.mask === b.varOff.mask)) &&
    a.smin === b.smin &&
    a.smax === b.smax &&
    a.umin === b.umin &&
    a.umax === b.umax &&
    sameKind(a, b)
  );
}

/** `cur` has no value that `old` has not. */
function rangeWithin(old: RegState, cur: RegState): boolean {
  return (
    old.u32min <= cur.u32min &&
    old.u32max >= cur.u32max &&
    old.s32min <= cur.s32min &&
    old.s32max >= cur.s32max &&
    old.umin <= cur.umin &&
    old.umax >= cur.umax &&
    old.smin <= cur.smin &&
    old.smax >= cur.smax &&
    tnumWithin(old.varOff, cur.varOff)
  );
}

// Known bits in halves: comparing them must not allocate.
const halves = new Int32Array(8);
const bits = new BigUint64Array(halves.buffer);

/** tnum_in */
function tnumWithin(old: Tnum, cur: Tnum): boolean {
  if (old === cur) return true;
  bits[0] = old.value;
  bits[1] = old.mask;
  bits[2] = cur.value;
  bits[3] = cur.mask;
  for (let half = 0; half < 2; half++) {
    const known = ~halves[2 + half];
    if ((halves[6 + half] & known) !== 0 || (halves[4 + half] & known) !== halves[half]) return false;
  }
  return true;
}

const sameIds = (old: RegState, cur: RegState): boolean =>
  checkIds(old.id, cur.id) && checkIds(old.refObjId, cur.refObjId);

/** The same but for the numbers of ids. */
export const regsExact = (old: RegState, cur: RegState): boolean => sameValue(old, cur) && sameIds(old, cur);

function scalarSafe(env: VerifierEnv, old: RegState, cur: RegState, exact: number): boolean {
  if (env.exploreAluLimits) return sameValue(old, cur) && checkScalarIds(old.id, cur.id);
  if (!old.precise && exact === EXACT_LEVEL.NOT) return true;
  if (old.id !== 0 && ((old.id ^ cur.id) & ADD_CONST_MASK) !== 0) return false;
  if ((old.id & ADD_CONST_MASK) !== 0 && old.off !== cur.off) return false;
  return checkScalarIds(old.id, cur.id) && rangeWithin(old, cur);
}

function packetSafe(old: RegState, cur: RegState): boolean {
  // Negative: at or beyond the end.
  if (old.range < 0 || cur.range < 0 ? old.range !== cur.range : old.range > cur.range) return false;
  return old.off === cur.off && checkIds(old.id, cur.id) && rangeWithin(old, cur);
}

/** True if a path that was safe with `old` is safe with `cur`. */
export function regSafe(env: VerifierEnv, old: RegState, cur: RegState, exact: number): boolean {
  if (exact === EXACT_LEVEL.EXACT) return regsExact(old, cur);
  if (old.type === REG.NOT_INIT && (exact === EXACT_LEVEL.NOT || cur.type === REG.NOT_INIT)) return true;
  if (old.type !== cur.type) return false;
  switch (baseType(old.type)) {
    case REG.SCALAR:
      return scalarSafe(env, old, cur, exact);
    case REG.MAP_KEY:
    case REG.MAP_VALUE:
    case REG.MEM:
    case REG.BUF:
    case REG.TP_BUFFER:
      return sameKind(old, cur) && rangeWithin(old, cur) && sameIds(old, cur);
    case REG.PACKET_META:
    case REG.PACKET:
      return packetSafe(old, cur);
    case REG.STACK:
      return regsExact(old, cur) && old.frameno === cur.frameno;
    case REG.ARENA:
      return true;
    default:
      return regsExact(old, cur);
  }
}
