// Open-coded iterators on the stack. Rule: process_iter_arg, process_iter_next_call and their parts, verifier.c, 6.18.
import { BTF_KIND, type Btf } from '../../btf/btf.ts';
import { ERRNO } from '../../errno.ts';
import { KF } from '../kfuncs/index.ts';
import { inRcuCs } from './context-state.ts';
import type { VerifierEnv } from './env.ts';
import { frameOf } from './frames.ts';
import type { KfuncMeta } from './kfunc-meta.ts';
import { findPrevEntry, widenImpreciseScalars } from './loops.ts';
import { checkMemAccess } from './mem-access.ts';
import { markPtrNotNull } from './null-check.ts';
import { pushStack } from './path.ts';
import { markStackSlotScratched } from './print-state.ts';
import { acquireReference, releaseReference } from './references.ts';
import { iterStateStr, iterTypeStr } from './reg-names.ts';
import { markRegConstZero, markRegKnown, markRegNotInit } from './scalar-marks.ts';
import { markSlotWrite } from './stack-liveness.ts';
import { fillSlot, hasAny, isWhole, markObjectRead, objectSlot } from './stack-object.ts';
import { sameCallsites } from './state-shape.ts';
import { FLAG, ITER_STATE, REG, type RegState, SLOT, type VerifierState } from './types.ts';
import { verifierBug } from './verifier-bug.ts';

const PREFIX = 'bpf_iter_';

/** Type id of the iterator struct that argument `index` of a prototype points to; 0 if it is none. */
function iterTypeOfArg(btf: Btf, proto: number, index: number): number {
  if (index >= btf.vlen(proto)) return 0;
  const ptr = btf.skipModsAndTypedefs(btf.paramType(proto, index));
  if (btf.kind(ptr) !== BTF_KIND.PTR) return 0;
  const type = btf.skipModsAndTypedefs(btf.type(ptr));
  return btf.kind(type) === BTF_KIND.STRUCT && btf.name(type).startsWith(PREFIX) ? type : 0;
}

const iterSlot = (env: VerifierEnv, reg: RegState, slots: number): number => objectSlot(env, reg, 'iter', slots);

function createIter(
  env: VerifierEnv,
  meta: KfuncMeta,
  reg: RegState,
  insnIdx: number,
  btfId: number,
  slots: number,
): number {
  const frame = frameOf(env, reg);
  const spi = iterSlot(env, reg, slots);
  if (spi < 0) return spi;
  const id = acquireReference(env, insnIdx);
  for (let i = 0; i < slots; i++) {
    const slot = frame.stack[spi - i];
    const st = slot.spilled;
    markRegKnown(st, 0n);
    st.type = REG.STACK;
    if (meta.has(KF.RCU_PROTECTED)) st.type |= inRcuCs(env) ? FLAG.RCU : FLAG.UNTRUSTED;
    st.refObjId = i === 0 ? id : 0;
    st.btf = meta.facts.btf;
    st.btfId = btfId;
    st.iterState = ITER_STATE.ACTIVE;
    st.iterDepth = 0;
    fillSlot(slot, SLOT.ITER);
    markSlotWrite(env, frame.frameno, spi - i);
    markStackSlotScratched(env, spi - i);
  }
  return 0;
}

function destroyIter(env: VerifierEnv, reg: RegState, slots: number): number {
  const frame = frameOf(env, reg);
  const spi = iterSlot(env, reg, slots);
  if (spi < 0) return spi;
  for (let i = 0; i < slots; i++) {
    const slot = frame.stack[spi - i];
    if (i === 0) releaseReference(env, slot.spilled.refObjId);
    markRegNotInit(env, slot.spilled);
    fillSlot(slot, SLOT.INVALID);
    markSlotWrite(env, frame.frameno, spi - i);
    markStackSlotScratched(env, spi - i);
  }
  return 0;
}

function mayBecomeIter(env: VerifierEnv, reg: RegState, slots: number): boolean {
  const spi = iterSlot(env, reg, slots);
  if (spi === -ERRNO.ERANGE) return true;
  if (spi < 0) return false;
  const { stack } = frameOf(env, reg);
  for (let i = 0; i < slots; i++) if (hasAny(stack[spi - i], SLOT.ITER)) return false;
  return true;
}

/** 0 if an iterator of that type is there; -EPROTO if it was made outside of the RCU section that it needs. */
function isIter(env: VerifierEnv, reg: RegState, btf: Btf, btfId: number, slots: number): number {
  const spi = iterSlot(env, reg, slots);
  if (spi < 0) return -ERRNO.EINVAL;
  const { stack } = frameOf(env, reg);
  for (let i = 0; i < slots; i++) {
    const slot = stack[spi - i];
    const st = slot.spilled;
    if ((st.type & FLAG.UNTRUSTED) !== 0) return -ERRNO.EPROTO;
    if ((i === 0) !== (st.refObjId !== 0)) return -ERRNO.EINVAL;
    if (st.btf !== btf || st.btfId !== btfId || !isWhole(slot, SLOT.ITER)) return -ERRNO.EINVAL;
  }
  return 0;
}

/** Register `regno` is an iterator argument: made by "new", used by "next" and others, gone after "destroy". */
export function processIterArg(env: VerifierEnv, regno: number, insnIdx: number, meta: KfuncMeta): number {
  const reg = env.regs[regno];
  const { btf, proto, name } = meta.facts;
  const { log } = env;
  const refuse = (text: string): number => {
    log.write(`${text}\n`);
    return -ERRNO.EINVAL;
  };
  if (reg.type !== REG.STACK) return refuse(`arg#${regno - 1} expected pointer to an iterator on stack`);
  const type = iterTypeOfArg(btf, proto, regno - 1);
  if (type === 0) return refuse(`expected valid iter pointer as arg #${regno - 1}`);
  const slots = Math.trunc(btf.size(type) / 8);
  if (meta.has(KF.ITER_NEW)) {
    if (!mayBecomeIter(env, reg, slots)) {
      return refuse(`expected uninitialized iter_${iterTypeStr(btf, type)} as arg #${regno - 1}`);
    }
    for (let i = 0; i < slots * 8; i += 8) {
      const err = checkMemAccess(env, insnIdx, regno, i, 8, 'write', -1, false, false);
      if (err !== 0) return err;
    }
    return createIter(env, meta, reg, insnIdx, type, slots);
  }
  const err = isIter(env, reg, btf, type, slots);
  if (err === -ERRNO.EPROTO) {
    log.write(`expected an RCU CS when using ${name}\n`);
    return err;
  }
  if (err !== 0) return refuse(`expected an initialized iter_${iterTypeStr(btf, type)} as arg #${regno - 1}`);
  const spi = iterSlot(env, reg, slots);
  if (spi < 0) return spi;
  markObjectRead(env, reg, spi, slots);
  meta.iter = { spi, frameno: reg.frameno };
  meta.refObjId = frameOf(env, reg).stack[spi].spilled.refObjId;
  return meta.has(KF.ITER_DESTROY) ? destroyIter(env, reg, slots) : 0;
}

/** The iterator of a "next" call in a path. */
export const iterInState = (state: VerifierState, meta: KfuncMeta): RegState =>
  state.frame[meta.iter.frameno].stack[meta.iter.spi].spilled;

/**
 * A "next" call goes on in two ways: the path that is put aside got an element, the current one did not and the
 * iterator is drained. What loops change without it mattering is forgotten, so that loops come to an end.
 */
export function processIterNext(env: VerifierEnv, insnIdx: number, meta: KfuncMeta): number {
  const { state } = env;
  const iter = iterInState(state, meta);
  if (iter.iterState !== ITER_STATE.ACTIVE && iter.iterState !== ITER_STATE.DRAINED) {
    return verifierBug(env, `unexpected iterator state ${iter.iterState} (${iterStateStr(iter.iterState)})`);
  }
  if (iter.iterState === ITER_STATE.ACTIVE) {
    const { parent } = state;
    if (parent === undefined || parent.insnIdx !== insnIdx || !sameCallsites(parent, state)) {
      return verifierBug(env, 'bad parent state for iter next call');
    }
    const previous = findPrevEntry(env, parent, insnIdx);
    const queued = pushStack(env, insnIdx + 1, insnIdx, false);
    if (queued === undefined) return -ERRNO.ENOMEM;
    const queuedIter = queued.frame[meta.iter.frameno].ownSpilled(meta.iter.spi);
    queuedIter.iterState = ITER_STATE.ACTIVE;
    queuedIter.iterDepth++;
    if (previous !== undefined) widenImpreciseScalars(env, previous, queued);
    markPtrNotNull(queued.cur.ownReg(0));
  }
  iter.iterState = ITER_STATE.DRAINED;
  markRegConstZero(env, state.cur.regs[0]);
  return 0;
}
