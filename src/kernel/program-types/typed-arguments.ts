// Contexts that are the arguments of a kernel function, each 8 bytes, with the types that BTF gives them: BTF
// tracepoints, iterators, functions, hooks and members of kernel structures. Rule: btf_ctx_access, btf.c, 6.18.
import { BTF_KIND, type Btf } from '../../btf/btf.ts';
import { ATTACH_TYPE, PROG_TYPE } from '../../isa/uapi.ts';
import type { KProgram } from '../objects.ts';
import type { AttachTarget } from '../verifier/env.ts';
import { kindText } from '../verifier/func-proto.ts';
import { UNTRUSTED_LSM_HOOKS } from '../verifier/lsm-hooks.ts';
import { isProgCtxType, kernelContextType } from '../verifier/prog-ctx-type.ts';
import { baseType, FLAG, REG, typeFlags } from '../verifier/types.ts';
import type { Access, AccessInfo, ProgramView } from './program-type.ts';
import { argumentsAccess } from './raw-tracepoint.ts';
import { DOUBTFUL_ARGUMENTS } from './tracepoint-nulls.ts';

const A = ATTACH_TYPE;
/** Attach types whose programs find the return value behind the arguments. */
const WITH_RETURN: ReadonlySet<number> = new Set([A.lsm_mac, A.lsm_cgroup, A.trace_fexit]);

/** Arguments that fit in registers. */
const REGISTER_ARGS = 5;

const isStruct = (btf: Btf, id: number): boolean => btf.kind(id) === BTF_KIND.STRUCT || btf.kind(id) === BTF_KIND.UNION;
const isEnum = (btf: Btf, id: number): boolean => btf.kind(id) === BTF_KIND.ENUM || btf.kind(id) === BTF_KIND.ENUM64;
const isSmallInt = (btf: Btf, id: number): boolean => btf.kind(id) === BTF_KIND.INT && btf.size(id) <= 8;
const orAnon = (name: string): string => (name === '' ? '(anon)' : name);

/** Bytes that a value takes in the context. */
function slotBytes(btf: Btf, id: number): number {
  const type = btf.skipModsAndTypedefs(id);
  return btf.kind(type) === BTF_KIND.PTR ? 8 : (btf.size(type) + 7) & ~7;
}

/** Number of the argument at an offset; the return value comes after the last one. */
function argumentAt(btf: Btf, proto: number, off: number): number {
  const count = btf.vlen(proto);
  let end = 0;
  for (let i = 0; i < count; i++) {
    end += slotBytes(btf, btf.paramType(proto, i));
    if (off < end) return i;
  }
  return off < end + slotBytes(btf, btf.type(proto)) ? count : count + 1;
}

/** Objects that the kernel passes are there for as long as the program runs. */
const argumentsAreTrusted = (view: ProgramView): boolean =>
  view.progType === PROG_TYPE.struct_ops ||
  (view.progType === PROG_TYPE.lsm && !UNTRUSTED_LSM_HOOKS.has(view.attach?.funcName ?? '')) ||
  (view.progType === PROG_TYPE.tracing &&
    (view.expectedAttachType === A.trace_raw_tp || view.expectedAttachType === A.trace_iter));

interface Argument {
  readonly view: ProgramView;
  readonly target: AttachTarget;
  readonly btf: Btf;
  readonly index: number;
  readonly name: string;
}

/** Type of the return value, where a program of this kind may look at it; undefined with a message if not. */
function returnValue(arg: Argument, info: AccessInfo): number | undefined {
  const { view, target, btf, index } = arg;
  const type = btf.type(target.funcProto);
  if (WITH_RETURN.has(view.expectedAttachType)) {
    info.isRetval = view.expectedAttachType === A.lsm_mac;
    return type;
  }
  if (view.expectedAttachType === A.modify_return) {
    const plain = btf.skipModsAndTypedefs(type);
    if (isSmallInt(btf, plain)) return type;
    view.log.write(`ret type ${kindText(btf, plain)} not allowed for fmod_ret\n`);
    return undefined;
  }
  view.log.write(`func '${target.funcName}' doesn't have ${index + 1}-th argument\n`);
  return undefined;
}

/** A pointer that the hook itself declares (`ctx_arg_info`). */
function declared(arg: Argument, off: number, info: AccessInfo, buffers: boolean): boolean {
  const found = arg.target.ctxArgs.find((a) => a.offset === off);
  if (found === undefined || (baseType(found.regType) === REG.BUF) !== buffers) return false;
  if (buffers && (typeFlags(found.regType) & FLAG.MAYBE_NULL) === 0) return false;
  info.regType = found.regType;
  if (!buffers) {
    info.btf = found.btf ?? arg.view.image.btf();
    info.btfId = found.btfId;
    info.refObjId = found.refObjId;
  }
  return true;
}

/** Kernel struct that a pointer argument leads to; says in the log what it found. */
function structPointer(arg: Argument, pointer: number, info: AccessInfo): boolean {
  const { view, target, btf, index } = arg;
  const event = view.expectedAttachType === A.trace_raw_tp ? target.funcName : '';
  const doubt = Object.hasOwn(DOUBTFUL_ARGUMENTS, event) ? DOUBTFUL_ARGUMENTS[event] : undefined;
  let regType: number = REG.BTF_ID;
  if (argumentsAreTrusted(view)) regType |= FLAG.TRUSTED;
  if (arg.name.endsWith('__nullable') || doubt?.null.includes(index)) regType |= FLAG.MAYBE_NULL;

  const pointee = btf.type(pointer);
  if (btf.kind(pointee) === BTF_KIND.TYPE_TAG && !btf.kflag(pointee)) {
    if (btf.name(pointee) === 'user') regType |= FLAG.USER;
    if (btf.name(pointee) === 'percpu') regType |= FLAG.PERCPU;
  }
  const struct = btf.skipModsAndTypedefs(pointee);
  if (!isStruct(btf, struct)) {
    view.log.write(`func '${target.funcName}' arg${index} type ${kindText(btf, struct)} is not a struct\n`);
    return false;
  }
  const what = `btf_id ${struct} type ${kindText(btf, struct)} '${orAnon(btf.name(struct))}'`;
  view.log.write(`func '${target.funcName}' arg${index} has ${what}\n`);
  info.regType = regType;
  info.btf = btf;
  info.btfId = struct;
  if (doubt?.error?.includes(index)) {
    view.log.write(`marking pointer arg${index} as scalar as it may encode error`);
    info.regType = REG.SCALAR;
  }
  return true;
}

/**
 * A function of a program whose prototype cannot be relied on has as many arguments as there are registers, of which
 * nothing is known.
 */
function unknownArgument({ log, expectedAttachType }: ProgramView, name: string, off: number): boolean {
  const index = Math.floor(off / 8);
  if (index < REGISTER_ARGS) return true;
  if (index === REGISTER_ARGS && WITH_RETURN.has(expectedAttachType)) return true;
  if (index === REGISTER_ARGS && expectedAttachType === A.modify_return) return false;
  log.write(`func '${name}' doesn't have ${index + 1}-th argument\n`);
  return false;
}

/** A pointer argument of another program's function: only a context can be followed, as the kernel has it. */
function contextOfProgram(
  { view, btf, name }: Argument,
  pointer: number,
  program: KProgram,
  info: AccessInfo,
): boolean {
  const type = program.replacedType ?? program.type;
  if (!isProgCtxType(view.image, btf, pointer, type)) return false;
  info.regType = REG.BTF_ID | (argumentsAreTrusted(view) ? FLAG.TRUSTED : 0);
  if (name.endsWith('__nullable')) info.regType |= FLAG.MAYBE_NULL;
  info.btf = view.image.btf();
  info.btfId = kernelContextType(info.btf, type);
  return true;
}

/** An access to the argument at `off`; fills `info` where it is a pointer that can be followed. */
export function typedArgumentAccess(view: ProgramView, off: number, size: number, info: AccessInfo): boolean {
  const { log, attach: target } = view;
  if (target === undefined || target.btf === undefined) return true;
  const { btf, funcName, funcProto, program } = target;
  if (off % 8 !== 0) {
    log.write(`func '${funcName}' offset ${off} is not multiple of 8\n`);
    return false;
  }
  if (funcProto === 0) return program === undefined || unknownArgument(view, funcName, off);
  const index = argumentAt(btf, funcProto, off);
  // The prototype of a tracepoint begins with an argument of its own.
  const skipped = target.trace ? 1 : 0;
  const count = btf.vlen(funcProto) - skipped;
  if (index > count) {
    log.write(`func '${funcName}' doesn't have ${index + 1}-th argument\n`);
    return false;
  }
  const name = index < count ? btf.paramName(funcProto, index + skipped) : '';
  const arg: Argument = { view, target, btf, index, name };
  const type = index === count ? returnValue(arg, info) : btf.paramType(funcProto, index + skipped);
  if (type === undefined) return false;

  const plain = btf.skipModsAndTypedefs(type);
  if (isSmallInt(btf, plain) || isEnum(btf, plain) || isStruct(btf, plain)) return true;
  if (btf.kind(plain) !== BTF_KIND.PTR) {
    const what = `'${orAnon(btf.name(plain))}' has type ${kindText(btf, plain)}`;
    log.write(`func '${funcName}' arg${index} ${what}. Only pointer access is allowed\n`);
    return false;
  }
  if (size !== 8) {
    log.write(`func '${funcName}' size ${size} must be 8\n`);
    return false;
  }
  if (declared(arg, off, info, true)) return true;
  const pointee = btf.skipModsAndTypedefs(btf.type(plain));
  if (pointee === 0 || btf.kind(pointee) === BTF_KIND.INT) return true;
  if (declared(arg, off, info, false)) return true;
  return program === undefined ? structPointer(arg, plain, info) : contextOfProgram(arg, plain, program, info);
}

/** Reads of arguments by tracing programs. Rule: bpf_tracing_btf_ctx_access. */
export const tracingArgumentAccess = (
  view: ProgramView,
  off: number,
  size: number,
  access: Access,
  info: AccessInfo,
): boolean => argumentsAccess(off, size, access) && typedArgumentAccess(view, off, size, info);
