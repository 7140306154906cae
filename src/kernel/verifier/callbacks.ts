// What functions find in their registers when a call runs them: copies of the caller's arguments, or what the helper
// hands to its callback. Rule: set_*_callback_state, verifier.c, 6.18.
import { BTF_KIND } from '../../btf/btf.ts';
import { ERRNO } from '../../errno.ts';
import { MAP_TYPE } from '../../isa/uapi.ts';
import type { KMap, SpecialField } from '../objects.ts';
import { markDynptrCallbackReg } from './dynptr.ts';
import type { VerifierEnv } from './env.ts';
import { refSetNonOwning } from './graph-refs.ts';
import { markRegKnown, markRegNotInit } from './scalar-marks.ts';
import { regField } from './special-fields.ts';
import { DYNPTR, FLAG, type FuncState, REG, type RegState, S32_MAX, S32_MIN } from './types.ts';

/** Sets up the registers of `callee`, called or to be called at `insnIdx` by `caller`. 0 or a negative errno. */
export type SetCalleeState = (env: VerifierEnv, caller: FuncState, callee: FuncState, insnIdx: number) => number;

/** Maps whose elements can be walked with a callback. */
const WALKABLE: ReadonlySet<number> = new Set([
  MAP_TYPE.hash,
  MAP_TYPE.array,
  MAP_TYPE.percpu_hash,
  MAP_TYPE.percpu_array,
  MAP_TYPE.lru_hash,
  MAP_TYPE.lru_percpu_hash,
]);

function clearFrom(env: VerifierEnv, callee: FuncState, first: number): void {
  for (let i = first; i <= 5; i++) markRegNotInit(env, callee.regs[i]);
}

function setMapReg(reg: RegState, type: number, map: KMap | undefined): void {
  reg.type = type;
  markRegKnown(reg, 0n);
  reg.map = map;
}

/** A call within the program: the arguments as they are. */
export const setCalleeState: SetCalleeState = (_env, caller, callee) => {
  for (let i = 1; i <= 5; i++) callee.regs[i].copy(caller.regs[i]);
  return 0;
};

/** bpf_for_each_map_elem: (map, key, value, context) */
export const setMapElemCallbackState: SetCalleeState = (env, caller, callee, insnIdx) => {
  const map = env.aux[insnIdx].mapPtrState?.map;
  if (map === undefined || !WALKABLE.has(map.type)) {
    env.log.write('callback function not allowed for map\n');
    return -ERRNO.ENOTSUPP;
  }
  callee.regs[1].copy(caller.regs[1]);
  setMapReg(callee.regs[2], REG.MAP_KEY, caller.regs[1].map);
  setMapReg(callee.regs[3], REG.MAP_VALUE, caller.regs[1].map);
  callee.regs[4].copy(caller.regs[3]);
  clearFrom(env, callee, 5);
  return asCallback(callee);
};

/** bpf_loop: (index, context) */
export const setLoopCallbackState: SetCalleeState = (env, caller, callee) => {
  callee.regs[1].type = REG.SCALAR;
  callee.regs[2].copy(caller.regs[3]);
  clearFrom(env, callee, 3);
  return asCallback(callee);
};

/** bpf_find_vma: (task, vma, context) */
export const setFindVmaCallbackState: SetCalleeState = (env, caller, callee) => {
  callee.regs[1].copy(caller.regs[1]);
  const vma = callee.regs[2];
  vma.type = REG.BTF_ID;
  markRegKnown(vma, 0n);
  vma.btf = env.image.btf();
  vma.btfId = vma.btf.find('vm_area_struct', BTF_KIND.STRUCT);
  callee.regs[3].copy(caller.regs[4]);
  clearFrom(env, callee, 4);
  return asCallback(callee);
};

/** bpf_user_ringbuf_drain: (dynptr, context) */
export const setUserRingbufCallbackState: SetCalleeState = (env, caller, callee) => {
  markRegNotInit(env, callee.regs[0]);
  markDynptrCallbackReg(env, callee.regs[1], DYNPTR.LOCAL);
  callee.regs[2].copy(caller.regs[3]);
  clearFrom(env, callee, 3);
  return asCallback(callee);
};

function setGraphNode(reg: RegState, field: SpecialField): void {
  markRegKnown(reg, 0n);
  reg.type = REG.BTF_ID | FLAG.ALLOC;
  reg.btf = field.btf;
  reg.btfId = field.btfId ?? 0;
  reg.off = field.nodeOffset ?? 0;
}

/** bpf_rbtree_add: (node, node), both borrowed from the tree. */
export const setRbtreeAddCallbackState: SetCalleeState = (env, caller, callee) => {
  const field = regField(caller.regs[1], caller.regs[1].off, 'bpf_rb_root');
  if (field === undefined || !field.btfId) return -ERRNO.EFAULT;
  for (let i = 1; i <= 2; i++) {
    setGraphNode(callee.regs[i], field);
    refSetNonOwning(env, callee.regs[i]);
  }
  clearFrom(env, callee, 3);
  return asCallback(callee);
};

/** (map, key, value) of the map that a timer, work queue or task work lives in. */
function setMapValueArgs(env: VerifierEnv, map: KMap | undefined, callee: FuncState): void {
  setMapReg(callee.regs[1], REG.CONST_MAP_PTR, map);
  setMapReg(callee.regs[2], REG.MAP_KEY, map);
  setMapReg(callee.regs[3], REG.MAP_VALUE, map);
  clearFrom(env, callee, 4);
  callee.inAsyncCallbackFn = true;
}

/** bpf_timer_set_callback and bpf_wq_set_callback. */
export const setTimerCallbackState: SetCalleeState = (env, caller, callee) => {
  setMapValueArgs(env, caller.regs[1].map, callee);
  callee.callbackRetRange = { min: 0, max: 0 };
  return 0;
};

/** bpf_task_work_schedule_…; its return value is not looked at. */
export const setTaskWorkCallbackState: SetCalleeState = (env, caller, callee) => {
  setMapValueArgs(env, caller.regs[3].map, callee);
  callee.callbackRetRange = { min: S32_MIN, max: S32_MAX };
  return 0;
};

/** Runs within the call, and says with 0 or 1 whether to go on. */
function asCallback(callee: FuncState): number {
  callee.inCallbackFn = true;
  callee.callbackRetRange = { min: 0, max: 1 };
  return 0;
}
