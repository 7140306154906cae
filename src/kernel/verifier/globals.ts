// What a function demands of its arguments by its BTF prototype, and whether a call meets it. Global functions are
// verified on their own for all arguments that fit. Rule: btf_prepare_func_args, btf.c; btf_check_func_arg_match,
// verifier.c, 6.18.
import { BTF_KIND, type Btf } from '../../btf/btf.ts';
import { ERRNO } from '../../errno.ts';
import { nextDeclTag } from './decl-tags.ts';
import { processDynptrArg } from './dynptr.ts';
import type { VerifierEnv } from './env.ts';
import { kindText } from './func-proto.ts';
import { checkBtfIdArg, checkFuncArgRegOff, checkMemReg } from './helper-args.ts';
import { ARG } from './helper-proto.ts';
import { kernelCandidates } from './kernel-candidates.ts';
import { isProgCtxType, validateProgCtxType } from './prog-ctx-type.ts';
import { regIsNull } from './scalar-marks.ts';
import { subprogIsGlobal } from './subprogs.ts';
import { baseType, FLAG, mayBeNull, REG, type RegState, type SubprogArg, type SubprogInfo } from './types.ts';
import { verifierBug } from './verifier-bug.ts';

/** Arguments that fit in registers. */
const MAX_ARGS = 5;

/** What follows "arg:" in a declaration tag. */
const TAGS = ['ctx', 'trusted', 'untrusted', 'nonnull', 'nullable', 'arena'] as const;
type Tag = (typeof TAGS)[number];

const isEnum = (kind: number): boolean => kind === BTF_KIND.ENUM || kind === BTF_KIND.ENUM64;
const isScalar = (btf: Btf, id: number): boolean => btf.kind(id) === BTF_KIND.INT || isEnum(btf.kind(id));

/** A plain integer of 1, 2, 4, 8 or 16 bytes, or an enum. */
function isPrimitive(btf: Btf, id: number): boolean {
  if (btf.kind(id) !== BTF_KIND.INT) return isEnum(btf.kind(id));
  const bits = btf.intBits(id);
  return bits % 8 === 0 && btf.intOffset(id) === 0 && [8, 16, 32, 64, 128].includes(bits);
}

function isDynptr(btf: Btf, ptr: number): boolean {
  const type = btf.skipModsAndTypedefs(btf.type(ptr));
  const kind = btf.kind(type);
  const struct = kind === BTF_KIND.STRUCT || kind === BTF_KIND.UNION || (kind === BTF_KIND.FWD && !btf.kflag(type));
  return struct && btf.name(type) === 'bpf_dynptr';
}

/** One argument of a function while its demand is worked out. */
interface Param {
  readonly env: VerifierEnv;
  readonly btf: Btf;
  readonly index: number;
  /** Its type without modifiers and typedefs. */
  readonly type: number;
  readonly tags: ReadonlySet<Tag>;
  readonly global: boolean;
}

const demand = (argType: number, memSize = 0, btfId = 0): SubprogArg => ({ argType, memSize, btfId });

function refuse(param: Param, text: string, errno: number = ERRNO.EINVAL): number {
  param.env.log.write(`arg#${param.index} ${text}\n`);
  return -errno;
}

/** Tags of argument `index` of the FUNC `func`, or a negative errno. */
function readTags(env: VerifierEnv, btf: Btf, func: number, index: number, global: boolean): Set<Tag> | number {
  const tags = new Set<Tag>();
  for (let id = nextDeclTag(btf, func, index, 'arg:', 0); id !== 0; id = nextDeclTag(btf, func, index, 'arg:', id)) {
    if (!global) {
      env.log.write(`arg#${index} type tag is not supported in static functions\n`);
      return -ERRNO.EOPNOTSUPP;
    }
    const tag = TAGS.find((t) => btf.name(id) === `arg:${t}`);
    if (tag === undefined) {
      env.log.write(`arg#${index} has unsupported set of tags\n`);
      return -ERRNO.EOPNOTSUPP;
    }
    tags.add(tag);
  }
  return tags;
}

/** The kernel's type that a pointer leads to, or a negative errno (btf_get_ptr_to_btf_id). */
function kernelTypeOf(param: Param): number {
  const { btf, env } = param;
  const type = btf.skipModsAndTypedefs(btf.type(param.type));
  const name = `reference type('${kindText(btf, type)} ${btf.name(type) || '(anon)'}')`;
  const found = kernelCandidates(env.image.btf(), btf, type);
  if (found === undefined) {
    return refuse(param, `${name} candidate matching error: ${-ERRNO.EINVAL}`);
  }
  const { ids } = found;
  if (ids.length === 1) return ids[0];
  return ids.length === 0
    ? refuse(param, `${name} has no matches`, ERRNO.ENOENT)
    : refuse(param, `${name} is ambiguous`, ERRNO.ESRCH);
}

function trustedArg(param: Param): SubprogArg | number {
  if (param.tags.has('nonnull')) return refuse(param, 'has invalid combination of tags');
  const id = kernelTypeOf(param);
  if (id < 0) return id;
  return demand(ARG.BTF_ID | FLAG.TRUSTED | (param.tags.has('nullable') ? FLAG.MAYBE_NULL : 0), 0, id);
}

function untrustedArg(param: Param): SubprogArg | number {
  const { btf, env } = param;
  if (param.tags.size > 1) return refuse(param, 'untrusted cannot be combined with any other tags');
  const target = btf.skipModsAndTypedefs(btf.type(param.type));
  if (target === 0 || isPrimitive(btf, target)) return demand(ARG.MEM | FLAG.RDONLY | FLAG.UNTRUSTED);
  const id = kernelTypeOf(param);
  if (id < 0) return id;
  const kernel = env.image.btf();
  const kind = kernel.kind(id);
  if (kind !== BTF_KIND.STRUCT && kind !== BTF_KIND.UNION) {
    // Linux looks the pointer's own name up, which is none.
    return refuse(param, `has type ${kindText(kernel, id)} '(anon)', but only struct or primitive types are allowed`);
  }
  return demand(ARG.BTF_ID | FLAG.UNTRUSTED, 0, id);
}

/** Memory of the size of what the pointer leads to. */
function memoryArg(param: Param): SubprogArg | number {
  const { btf } = param;
  if (param.tags.has('nullable')) return refuse(param, 'has invalid combination of tags');
  const target = btf.skipModsAndTypedefs(btf.type(param.type));
  const size = btf.resolveSize(target);
  if (size < 0) {
    const name = `reference type('${kindText(btf, target)} ${btf.name(target)}')`;
    return refuse(param, `${name} size cannot be determined: ${-ERRNO.EINVAL}`);
  }
  return demand(ARG.MEM | (param.tags.has('nonnull') ? 0 : FLAG.MAYBE_NULL), size);
}

/** Demand of a pointer; undefined: none, as for a static function whose pointers may be anything. */
function pointerArg(param: Param): SubprogArg | number | undefined {
  const { btf, env, index, type, tags } = param;
  if (tags.has('ctx') || isProgCtxType(env.image, btf, type, env.progType)) {
    if (tags.size > (tags.has('ctx') ? 1 : 0)) return refuse(param, 'has invalid combination of tags');
    if (tags.has('ctx') && validateProgCtxType(env, btf, type, index, env.progType) !== 0) return -ERRNO.EINVAL;
    return demand(ARG.CTX);
  }
  if (isDynptr(btf, type)) {
    return tags.size > 0 ? refuse(param, 'has invalid combination of tags') : demand(ARG.DYNPTR | FLAG.RDONLY);
  }
  if (tags.has('trusted')) return trustedArg(param);
  if (tags.has('untrusted')) return untrustedArg(param);
  if (tags.has('arena')) {
    return tags.size > 1 ? refuse(param, 'arena cannot be combined with any other tags') : demand(ARG.ARENA);
  }
  return param.global ? memoryArg(param) : undefined;
}

function argDemand(param: Param, funcName: string): SubprogArg | number {
  const { btf, env, index, type } = param;
  const isPointer = btf.kind(type) === BTF_KIND.PTR;
  const pointer = isPointer ? pointerArg(param) : undefined;
  if (pointer !== undefined) return pointer;
  if (param.tags.size > 0) return refuse(param, 'has pointer tag, but is not a pointer type');
  if (isScalar(btf, type)) return demand(ARG.ANYTHING);
  if (param.global) {
    env.log.write(`Arg#${index} type ${kindText(btf, type)} in ${funcName}() is not supported yet.\n`);
  }
  return -ERRNO.EINVAL;
}

/** Works out what function `subprog` demands: fills its `args`. 0, -EINVAL where BTF does not say, -EFAULT. */
export function prepareFuncArgs(env: VerifierEnv, subprog: number): number {
  const info = env.subprogs[subprog];
  if (info.argsCached) return 0;
  const { log, progBtf: btf } = env;
  if (!env.hasFuncInfo || btf === undefined) return verifierBug(env, 'func_info undefined');
  const global = subprogIsGlobal(env, subprog);
  const func = env.funcInfo[subprog].typeId;
  const name = btf.name(func);
  if (info.unreliable) return verifierBug(env, `unreliable BTF for function ${name}()`);
  const proto = btf.type(func);
  const count = btf.vlen(proto);
  if (count > MAX_ARGS) {
    if (global) log.write(`Global function ${name}() with ${count} > ${MAX_ARGS} args. Buggy compiler.\n`);
    return -ERRNO.EINVAL;
  }
  if (!isScalar(btf, btf.skipModsAndTypedefs(btf.type(proto)))) {
    if (global) log.write(`Global function ${name}() doesn't return scalar. Only those are supported.\n`);
    return -ERRNO.EINVAL;
  }
  const args: SubprogArg[] = [];
  for (let index = 0; index < count; index++) {
    const tags = readTags(env, btf, func, index, global);
    if (typeof tags === 'number') return tags;
    const type = btf.skipModsAndTypedefs(btf.paramType(proto, index));
    const arg = argDemand({ env, btf, index, type, tags, global }, name);
    if (typeof arg === 'number') return arg;
    args.push(arg);
  }
  info.args = args;
  info.argsCached = true;
  return 0;
}

/** One argument of a call against the demand. */
function checkArg(env: VerifierEnv, index: number, arg: SubprogArg, reg: RegState): number {
  const regno = index + 1;
  const { argType } = arg;
  const { log } = env;
  const say = (text: string): number => {
    log.write(`${text}\n`);
    return -ERRNO.EINVAL;
  };
  if (argType === ARG.ANYTHING) return reg.type === REG.SCALAR ? 0 : say(`R${regno} is not a scalar`);
  // What is read through an untrusted pointer is read with care.
  if ((argType & FLAG.UNTRUSTED) !== 0) return 0;
  let err = 0;
  switch (baseType(argType)) {
    case ARG.CTX:
      err = checkFuncArgRegOff(env, reg, regno, ARG.DONTCARE);
      if (err < 0) return err;
      return reg.type === REG.CTX ? 0 : say(`arg#${index} expects pointer to ctx`);
    case ARG.MEM:
      err = checkFuncArgRegOff(env, reg, regno, ARG.DONTCARE);
      if (err < 0) return err;
      if (checkMemReg(env, reg, regno, arg.memSize) !== 0) return -ERRNO.EINVAL;
      return !mayBeNull(argType) && mayBeNull(reg.type) ? say(`arg#${index} is expected to be non-NULL`) : 0;
    case ARG.ARENA:
      if (reg.type === REG.ARENA || reg.type === REG.SCALAR) return 0;
      return say(`R${regno} is not a pointer to arena or scalar.`);
    case ARG.DYNPTR:
      err = checkFuncArgRegOff(env, reg, regno, ARG.DYNPTR);
      return err !== 0 ? err : processDynptrArg(env, regno, -1, argType, 0);
    case ARG.BTF_ID:
      if (regIsNull(reg) && mayBeNull(argType)) return 0;
      err = checkBtfIdArg(env, regno, argType, arg.btfId);
      return err !== 0 ? err : checkFuncArgRegOff(env, reg, regno, argType);
    default:
      return verifierBug(env, `unrecognized arg#${index} type ${argType}`);
  }
}

/** The arguments in the current registers against what `subprog` demands. */
function checkArgs(env: VerifierEnv, subprog: number, regs: RegState[]): number {
  const err = prepareFuncArgs(env, subprog);
  if (err !== 0) return err;
  const info: SubprogInfo = env.subprogs[subprog];
  for (const [i, arg] of info.args.entries()) {
    const bad = checkArg(env, i, arg, regs[i + 1]);
    if (bad !== 0) return bad;
  }
  return 0;
}

/**
 * Compares a call with the prototype of the callee. -EINVAL is an error for global functions only; others are marked as
 * unreliable. -EFAULT: a mistake of the verifier.
 */
export function checkSubprogCall(env: VerifierEnv, subprog: number, regs: RegState[]): number {
  if (!env.hasFuncInfo) return -ERRNO.EINVAL;
  const info = env.subprogs[subprog];
  if (info.unreliable) return -ERRNO.EINVAL;
  const err = checkArgs(env, subprog, regs);
  if (err !== 0) info.unreliable = true;
  return err;
}
