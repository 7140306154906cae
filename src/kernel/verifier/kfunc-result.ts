// What a call of a kernel function leaves in R0. Rule: check_kfunc_call and check_special_kfunc, verifier.c, 6.18.
import { BTF_KIND, type Btf } from '../../btf/btf.ts';
import { ERRNO } from '../../errno.ts';
import { KF } from '../kfuncs/index.ts';
import type { SpecialField } from '../objects.ts';
import { dynptrFlag } from './dynptr.ts';
import type { VerifierEnv } from './env.ts';
import { kindText } from './func-proto.ts';
import { refSetNonOwning } from './graph-refs.ts';
import { iterInState } from './iterator.ts';
import type { KfuncMeta } from './kfunc-meta.ts';
import { isScalarStruct, isScalarType, isStructType } from './kfunc-params.ts';
import { mayAccessDirectPktData } from './packet-access.ts';
import { acquireReference } from './references.ts';
import { DEF_NOT_SUBREG } from './reg-access.ts';
import { markRegConstZero, markRegKnown, markRegUnknown } from './scalar-marks.ts';
import { findStructMeta, hasField, regRecord, structMetas } from './special-fields.ts';
import { FLAG, type InsnAux, REG } from './types.ts';
import { verifierBug } from './verifier-bug.ts';

/** Largest object of which every CPU has its own. */
const MAX_PERCPU_OBJECT = 512;

/** Acquiring functions that return an object of the program as a plain pointer. */
const RETURNS_OBJECT: ReadonlySet<string> = new Set([
  'bpf_obj_new_impl',
  'bpf_percpu_obj_new_impl',
  'bpf_refcount_acquire_impl',
]);

/** The result was handled here; else it follows from its type. */
const HANDLED = 1;

function refuse(env: VerifierEnv, text: string): number {
  env.log.write(`${text}\n`);
  return -ERRNO.EINVAL;
}

/** R0 was defined whole, or its low half by the current instruction. */
const markResultSize = (env: VerifierEnv, size: number): void => {
  env.regs[0].subregDef = size === 8 ? DEF_NOT_SUBREG : env.insnIdx + 1;
};

function setPointer(env: VerifierEnv, type: number, btf: Btf | undefined, btfId: number): void {
  const r0 = env.regs[0];
  markRegKnown(r0, 0n);
  r0.type = type;
  r0.btf = btf;
  r0.btfId = btfId;
}

/** Notes the special fields of a struct of the program's BTF for later passes. */
export function noteStructMeta(env: VerifierEnv, aux: InsnAux, btf: Btf | undefined, btfId: number): void {
  const record = findStructMeta(btf, btfId, env.image.btf());
  aux.kptrStructMeta = record && btf ? { btf, btfId, record } : undefined;
}

function newObject(env: VerifierEnv, meta: KfuncMeta, aux: InsnAux, percpu: boolean): number {
  const constant = meta.argConstant ?? 0n;
  const both = 'bpf_obj_new/bpf_percpu_obj_new';
  if (constant > 0xffffffffn) return refuse(env, 'local type ID argument must be in range [0, U32_MAX]');
  const btf = env.progBtf;
  if (btf === undefined) return refuse(env, `${both} requires prog BTF`);
  const id = Number(constant);
  if (id >= btf.count || btf.kind(id) !== BTF_KIND.STRUCT) {
    return refuse(env, `${both} type ID argument must be of a struct`);
  }
  const size = btf.size(id);
  const what = 'bpf_percpu_obj_new type';
  if (percpu && size > MAX_PERCPU_OBJECT) {
    return refuse(env, `${what} size (${size}) is greater than ${MAX_PERCPU_OBJECT}`);
  }
  structMetas(btf, env.image.btf());
  noteStructMeta(env, aux, btf, id);
  if (percpu) {
    if (!isScalarStruct(env, btf, id)) return refuse(env, `${what} ID argument must be of a struct of scalars`);
    if (aux.kptrStructMeta) return refuse(env, `${what} ID argument must not contain special fields`);
  }
  setPointer(env, REG.BTF_ID | FLAG.ALLOC | (percpu ? FLAG.PERCPU : 0), btf, id);
  aux.objNewSize = size;
  return HANDLED;
}

function graphNode(env: VerifierEnv, root: SpecialField | undefined): number {
  setPointer(env, REG.BTF_ID | FLAG.ALLOC, root?.btf, root?.btfId ?? 0);
  env.regs[0].off = root?.nodeOffset ?? 0;
  return HANDLED;
}

function readOnlyCast(env: VerifierEnv, meta: KfuncMeta): number {
  const { btf } = meta.facts;
  const constant = meta.argConstant ?? 0n;
  const id = Number(BigInt.asUintN(32, constant));
  if (id >= btf.count) {
    return refuse(env, `Unknown type ID ${BigInt.asIntN(64, constant)} passed to kfunc bpf_rdonly_cast`);
  }
  if (id === 0) {
    setPointer(env, REG.MEM | FLAG.RDONLY | FLAG.UNTRUSTED, undefined, 0);
    env.regs[0].memSize = 0;
  } else if (isStructType(btf, id)) {
    setPointer(env, REG.BTF_ID | FLAG.UNTRUSTED, btf, id);
  } else {
    return refuse(env, 'kfunc bpf_rdonly_cast type ID argument must be of a struct or void');
  }
  return HANDLED;
}

function dynptrSlice(env: VerifierEnv, meta: KfuncMeta, writable: boolean): number {
  const r0 = env.regs[0];
  markRegKnown(r0, 0n);
  if (meta.argConstant === undefined) return verifierBug(env, 'bpf_dynptr_slice(_rdwr) no constant size');
  r0.memSize = Number(BigInt.asUintN(32, meta.argConstant));
  r0.type = REG.MEM | dynptrFlag(meta.dynptr.type);
  if (!writable) r0.type |= FLAG.RDONLY;
  else if (!mayAccessDirectPktData(env, undefined, 'write')) {
    return refuse(env, 'the prog does not allow writes to packet data');
  }
  if (meta.dynptr.id === 0) return verifierBug(env, 'no dynptr id');
  // The slice is void once its dynptr is.
  r0.dynptrId = meta.dynptr.id;
  return HANDLED;
}

/** Functions whose result depends on more than their prototype: HANDLED, 0 for others, or a negative errno. */
function specialResult(env: VerifierEnv, meta: KfuncMeta, aux: InsnAux, pointee: number): number {
  const { special, btf } = meta.facts;
  switch (special) {
    case 'bpf_obj_new_impl':
      return newObject(env, meta, aux, false);
    case 'bpf_percpu_obj_new_impl':
      return newObject(env, meta, aux, true);
    case 'bpf_refcount_acquire_impl':
      setPointer(env, REG.BTF_ID | FLAG.ALLOC, meta.argBtf, meta.argBtfId);
      noteStructMeta(env, aux, meta.argBtf, meta.argBtfId);
      return HANDLED;
    case 'bpf_cast_to_kern_ctx':
      setPointer(env, REG.BTF_ID | FLAG.TRUSTED, btf, meta.retBtfId);
      return HANDLED;
    case 'bpf_rdonly_cast':
      return readOnlyCast(env, meta);
    case 'bpf_dynptr_slice':
      return dynptrSlice(env, meta, false);
    case 'bpf_dynptr_slice_rdwr':
      return dynptrSlice(env, meta, true);
    default:
      if (pointee !== 0 && pointee === btf.find('bpf_list_node', BTF_KIND.STRUCT)) return graphNode(env, meta.listHead);
      if (pointee !== 0 && pointee === btf.find('bpf_rb_node', BTF_KIND.STRUCT)) return graphNode(env, meta.rbRoot);
      return 0;
  }
}

/** Memory that the function returns: as large as asked for, else as its type. */
function memoryResult(env: VerifierEnv, meta: KfuncMeta, pointee: number): number {
  const { btf, name } = meta.facts;
  if (meta.r0Size === 0) {
    const size = btf.resolveSize(pointee);
    if (size > 0) {
      meta.r0Size = size;
      meta.r0Rdonly = true;
    }
  }
  if (meta.r0Size === 0) {
    const type = `${kindText(btf, pointee)} ${btf.name(pointee)}`;
    return refuse(env, `kernel function ${name} returns pointer type ${type} is not supported`);
  }
  const r0 = env.regs[0];
  markRegKnown(r0, 0n);
  r0.type = REG.MEM;
  r0.memSize = meta.r0Size;
  if (meta.r0Rdonly) r0.type |= FLAG.RDONLY;
  if (meta.refObjId !== 0) r0.refObjId = meta.refObjId;
  if (meta.has(KF.RCU_PROTECTED)) r0.type |= FLAG.RCU;
  return 0;
}

function structResult(env: VerifierEnv, meta: KfuncMeta, pointee: number): void {
  const { btf, special, iterNext } = meta.facts;
  let type: number = REG.BTF_ID;
  if (special === 'bpf_get_kmem_cache') type |= FLAG.UNTRUSTED;
  else if (meta.has(KF.RCU_PROTECTED)) type |= FLAG.RCU;
  if (iterNext) type |= (iterInState(env.state, meta).type & FLAG.RCU) !== 0 ? FLAG.RCU : FLAG.TRUSTED;
  setPointer(env, type, btf, pointee);
}

function pointerResult(env: VerifierEnv, meta: KfuncMeta, aux: InsnAux, ptr: number, insnIdx: number): number {
  const { btf } = meta.facts;
  const pointee = btf.skipModsAndTypedefs(btf.type(ptr));
  const r0 = env.regs[0];
  const handled = specialResult(env, meta, aux, pointee);
  if (handled < 0) return handled;
  if (handled === 0) {
    if (pointee === 0) {
      markRegUnknown(env, r0);
    } else if (btf.kind(pointee) === BTF_KIND.STRUCT) {
      structResult(env, meta, pointee);
    } else {
      const err = memoryResult(env, meta, pointee);
      if (err !== 0) return err;
    }
  }
  if (meta.returnsNull) {
    r0.type |= FLAG.MAYBE_NULL;
    r0.id = ++env.idGen;
  }
  markResultSize(env, 8);
  if (meta.has(KF.ACQUIRE)) {
    const id = acquireReference(env, insnIdx);
    if (meta.returnsNull) r0.id = id;
    r0.refObjId = id;
  } else {
    const name = pointee === 0 ? '' : btf.name(pointee);
    if (name === 'bpf_rb_node' || name === 'bpf_list_node') refSetNonOwning(env, r0);
  }
  if (hasField(regRecord(r0), 'bpf_spin_lock', 'bpf_res_spin_lock') && r0.id === 0) r0.id = ++env.idGen;
  return 0;
}

/** Sets R0 after the call at `insnIdx`. 0 or a negative errno with a message. */
export function setKfuncResult(env: VerifierEnv, meta: KfuncMeta, aux: InsnAux, insnIdx: number): number {
  const { btf, proto, special, name } = meta.facts;
  const r0 = env.regs[0];
  const type = btf.skipModsAndTypedefs(btf.type(proto));
  const isPointer = btf.kind(type) === BTF_KIND.PTR;
  const toStruct = isPointer && isStructType(btf, btf.skipModsAndTypedefs(btf.type(type)));
  if (meta.has(KF.ACQUIRE) && !toStruct && !RETURNS_OBJECT.has(name)) {
    return refuse(env, 'acquire kernel function does not return PTR_TO_BTF_ID');
  }
  if (isScalarType(btf, type)) {
    markRegUnknown(env, r0);
    if (special === 'bpf_res_spin_lock' || special === 'bpf_res_spin_lock_irqsave') markRegConstZero(env, r0);
    markResultSize(env, btf.size(type));
    return 0;
  }
  if (isPointer) return pointerResult(env, meta, aux, type, insnIdx);
  if (type === 0 && (special === 'bpf_obj_drop_impl' || special === 'bpf_percpu_obj_drop_impl')) {
    noteStructMeta(env, aux, meta.argBtf, meta.argBtfId);
  }
  return 0;
}
