// What a comparison with NULL makes of pointers that may be NULL. Rule: mark_ptr_or_null_regs and mark_ptr_not_null_reg,
// verifier.c, 6.18.
import { MAP_TYPE } from '../../isa/uapi.ts';
import type { SpecialRecord } from '../objects.ts';
import { changeRegs } from './each-reg.ts';
import { isNonOwningRef, isPtrAllocObj, isRcuReg } from './pointer-kinds.ts';
import { releaseReferenceNoMark } from './references.ts';
import { regRecord } from './special-fields.ts';
import { tnumEqualsConst } from './tnum.ts';
import { baseType, FLAG, mayBeNull, REG, type RegState, type VerifierState } from './types.ts';

/** Objects whose callbacks must be told from those of other maps. */
const ASYNC_FIELDS: ReadonlySet<string> = new Set(['bpf_timer', 'bpf_wq', 'bpf_task_work']);
const LOCK_FIELDS: ReadonlySet<string> = new Set(['bpf_spin_lock', 'bpf_res_spin_lock']);

const hasField = (record: SpecialRecord | undefined, kinds: ReadonlySet<string>): boolean =>
  record?.fields.some((field) => kinds.has(field.kind)) ?? false;

/** The pointer is certainly not NULL: takes its final type, which for values of some maps is another one. */
export function markPtrNotNull(reg: RegState): void {
  if (baseType(reg.type) !== REG.MAP_VALUE || reg.map === undefined) {
    reg.type &= ~FLAG.MAYBE_NULL;
    return;
  }
  const { map } = reg;
  if (map.innerMap !== undefined) {
    reg.type = REG.CONST_MAP_PTR;
    reg.map = map.innerMap;
    // The id of the lookup tells inner maps of one template apart.
    if (hasField(map.innerMap.record, ASYNC_FIELDS)) reg.mapUid = reg.id;
  } else if (map.type === MAP_TYPE.xskmap) {
    reg.type = REG.XDP_SOCK;
  } else if (map.type === MAP_TYPE.sockmap || map.type === MAP_TYPE.sockhash) {
    reg.type = REG.SOCKET;
  } else {
    reg.type = REG.MAP_VALUE;
  }
}

/** The comparison says something of the register: it is of those with `id`. */
function isCompared(reg: RegState, id: number): boolean {
  if (!mayBeNull(reg.type) || reg.id !== id || (reg.id === 0 && !isRcuReg(reg))) return false;
  // Such pointers cannot have been moved, except within objects of the program.
  if (reg.smin !== 0n || reg.smax !== 0n || !tnumEqualsConst(reg.varOff, 0n)) return false;
  return reg.off === 0 || isPtrAllocObj(reg.type) || isNonOwningRef(reg.type);
}

function markPtrOrNullReg(reg: RegState, isNull: boolean): void {
  if (isNull) {
    reg.type = REG.SCALAR;
    reg.id = 0;
    reg.refObjId = 0;
    return;
  }
  markPtrNotNull(reg);
  // A lock is known by the id of the pointer to its object.
  if (!hasField(regRecord(reg), LOCK_FIELDS)) reg.id = 0;
}

/** Register `regno` of the current frame of `state`, and all others with its id, are NULL or are not. */
export function markPtrOrNullRegs(state: VerifierState, regno: number, isNull: boolean): void {
  const { id, refObjId } = state.cur.regs[regno];
  if (isNull && refObjId !== 0 && refObjId === id) releaseReferenceNoMark(state, id);
  changeRegs(
    state,
    (reg) => isCompared(reg, id),
    (reg) => markPtrOrNullReg(reg, isNull),
  );
}
