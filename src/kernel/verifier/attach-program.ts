// Hooking into another BPF program: tracing its functions, or replacing one of them. Rule: bpf_check_attach_target,
// btf_check_type_match, 6.18.
import { BTF_KIND, type Btf } from '../../btf/btf.ts';
import { hasSize, isComposite, isEnum } from '../../btf/kinds.ts';
import { ERRNO } from '../../errno.ts';
import { ATTACH_TYPE, PROG_TYPE } from '../../isa/uapi.ts';
import type { HookableFunction, KProgram } from '../objects.ts';
import type { VerifierEnv } from './env.ts';
import { kindText } from './func-proto.ts';

/** BTF_FUNC_GLOBAL */
const GLOBAL = 1;

/** Kind, number of members and flag are the same. */
const sameShape = (a: Side, b: Side, x: number, y: number): boolean =>
  a.btf.kind(x) === b.btf.kind(y) && a.btf.vlen(x) === b.btf.vlen(y) && a.btf.kflag(x) === b.btf.kflag(y);

/** A function of one of the two programs. */
interface Side {
  readonly btf: Btf;
  readonly func: number;
  readonly name: string;
}

function refuse(env: VerifierEnv, text: string): number {
  env.log.write(`${text}\n`);
  return -ERRNO.EINVAL;
}

/** Argument `i` of the replacement against that of the function that it replaces. */
function matchArgument(env: VerifierEnv, ours: Side, theirs: Side, i: number): number {
  const param = ({ btf, func }: Side): number => btf.skipModsAndTypedefs(btf.paramType(btf.type(func), i));
  let a = param(ours);
  let b = param(theirs);
  if (!sameShape(ours, theirs, a, b)) {
    const other = `${theirs.name}() has ${kindText(theirs.btf, b)}`;
    return refuse(env, `arg${i} in ${ours.name}() is ${kindText(ours.btf, a)} while ${other}`);
  }
  if (hasSize(ours.btf.kind(a)) && ours.btf.size(a) !== theirs.btf.size(b)) {
    const sizes = `has size ${ours.btf.size(a)} while ${theirs.name}() has ${theirs.btf.size(b)}`;
    return refuse(env, `arg${i} in ${ours.name}() ${sizes}`);
  }
  if (ours.btf.kind(a) === BTF_KIND.INT || isEnum(ours.btf.kind(a))) return 0;
  if (ours.btf.kind(a) !== BTF_KIND.PTR) return refuse(env, `arg${i} in ${ours.name}() has unrecognized type`);
  a = ours.btf.skipModsAndTypedefs(ours.btf.type(a));
  b = theirs.btf.skipModsAndTypedefs(theirs.btf.type(b));
  if (!isComposite(ours.btf.kind(a))) return refuse(env, `arg${i} in ${ours.name}() is not a pointer to context`);
  if (!isComposite(theirs.btf.kind(b))) return refuse(env, `arg${i} in ${theirs.name}() is not a pointer to context`);
  const [x, y] = [ours.btf.name(a), theirs.btf.name(b)];
  if (x === y) return 0;
  return refuse(env, `arg${i} ${ours.name}(struct ${x} *) doesn't match ${theirs.name}(struct ${y} *)`);
}

/** Whether the main function of this program can stand in for a function of another one. 0 or -EINVAL. */
export function checkTypeMatch(env: VerifierEnv, btf: Btf, func: number): number {
  const own = env.progBtf;
  if (!env.hasFuncInfo || own === undefined) return refuse(env, 'Program extension requires BTF');
  const main = env.funcInfo[0].typeId;
  const ours: Side = { btf: own, func: main, name: own.name(main) };
  const theirs: Side = { btf, func, name: btf.name(func) };
  for (const side of [ours, theirs]) {
    if (side.btf.linkage(side.func) !== GLOBAL) return refuse(env, `${side.name}() is not a global function`);
  }
  const [p, q] = [own.type(main), btf.type(func)];
  if (own.vlen(p) !== btf.vlen(q)) {
    return refuse(env, `${ours.name}() has ${own.vlen(p)} args while ${theirs.name}() has ${btf.vlen(q)} args`);
  }
  const [r, s] = [own.skipModsAndTypedefs(own.type(p)), btf.skipModsAndTypedefs(btf.type(q))];
  if (!sameShape(ours, theirs, r, s)) {
    const other = `type ${kindText(btf, s)} of ${theirs.name}()`;
    return refuse(env, `Return type ${kindText(own, r)} of ${ours.name}() doesn't match ${other}`);
  }
  let err = 0;
  for (let i = 0; err === 0 && i < own.vlen(p); i++) err = matchArgument(env, ours, theirs, i);
  return err;
}

/** What only a replacement must satisfy. */
function checkReplaced(env: VerifierEnv, replaced: HookableFunction): number {
  if (replaced.unreliable) return refuse(env, 'Cannot replace static functions');
  if (env.changesPktData && !replaced.changesPacket) {
    return refuse(env, 'Extension program changes packet data, while original does not');
  }
  if (env.mightSleep && !replaced.mightSleep) {
    return refuse(env, 'Extension program may sleep, while original does not');
  }
  return 0;
}

/** The function of `target` that the program hooks into, once it is known that it may; else a negative errno. */
export function findTargetFunction(env: VerifierEnv, target: KProgram, btf: Btf): HookableFunction | number {
  const { btfId } = env.attach;
  const extension = env.request.type === PROG_TYPE.ext;
  const found = target.functions.find((f) => f.typeId === btfId);
  if (found === undefined) return refuse(env, `Subprog ${btf.name(btfId)} doesn't exist`);
  if (found.exceptionCallback) {
    return refuse(env, `${extension ? 'Extension' : 'FENTRY/FEXIT'} programs cannot attach to exception callback`);
  }
  if (extension) {
    const err = checkReplaced(env, found);
    if (err !== 0) return err;
  }
  if (env.request.type === PROG_TYPE.tracing) {
    if (target.tracesTracing) return refuse(env, 'Cannot nest tracing program attach more than once');
  } else if (target.type === env.request.type) {
    return refuse(env, 'Cannot recursively attach');
  }
  const at = target.expectedAttachType;
  const traces = at === ATTACH_TYPE.trace_fentry || at === ATTACH_TYPE.trace_fexit;
  if (extension && target.type === PROG_TYPE.tracing && traces) return refuse(env, 'Cannot extend fentry/fexit');
  return found;
}
