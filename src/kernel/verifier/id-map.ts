// Which id of an old state stands for which id of the current one while the two are compared. Rule: check_ids,
// check_scalar_ids, verifier.c, 6.18.
import type { VerifierEnv } from './env.ts';
import { ADD_CONST_MASK, plainId } from './types.ts';

/** As many ids as registers and stack slots of all frames. */
const SIZE = (11 + 64) * 8;

const oldIds = new Uint32Array(SIZE);
const curIds = new Uint32Array(SIZE);
let count = 0;
/** Last of the ids given to scalars without one. */
let tempId = 0;

/** Begins a comparison. There is one at a time. */
export function resetIds(env: VerifierEnv): void {
  count = 0;
  tempId = env.idGen;
}

/** True if the two ids may stand for each other: both are 0, or they were paired before, or neither was. */
export function checkIds(oldId: number, curId: number): boolean {
  if (oldId === 0 || curId === 0) return oldId === curId;
  for (let i = 0; i < count; i++) {
    if (oldIds[i] === oldId >>> 0) return curIds[i] === curId >>> 0;
    if (curIds[i] === curId >>> 0) return false;
  }
  if (count === SIZE) return false;
  oldIds[count] = oldId;
  curIds[count] = curId;
  count++;
  return true;
}

/** The same for scalars: an old one without id is satisfied by any, and being "id plus a constant" pairs the id too. */
export function checkScalarIds(oldId: number, curId: number): boolean {
  if (oldId === 0) return true;
  const cur = curId === 0 ? ++tempId : curId;
  if (!checkIds(oldId, cur)) return false;
  return (oldId & ADD_CONST_MASK) === 0 || checkIds(plainId(oldId), plainId(cur));
}
