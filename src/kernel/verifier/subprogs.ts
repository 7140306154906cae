// The functions of a program: where they begin, and that no jump leaves them. Rule: verifier.c, 6.18.
import { BTF_KIND } from '../../btf/btf.ts';
import { ERRNO } from '../../errno.ts';
import { CLASS, insnClass, insnMode, insnOp, JMP, MODE } from '../../isa/opcode.ts';
import { HELPER } from '../../isa/uapi.ts';
import { findDeclTag } from './decl-tags.ts';
import type { VerifierEnv } from './env.ts';
import { EXIT, isGoto, isHelperCall, isKfuncCall, isPseudoCall, isPseudoFunc, jumpOffset } from './insn-kinds.ts';
import { addKfuncCall } from './kfunc-table.ts';
import { LOG } from './log.ts';
import { SubprogInfo } from './types.ts';

const MAX_SUBPROGS = 256;

/** Index of the function that the instruction at `off` belongs to; -1 if there is no such instruction. */
export function findContainingSubprog(env: VerifierEnv, off: number): number {
  const { subprogs } = env;
  if (off >= env.insns.length || off < 0 || subprogs.length === 0) return -1;
  let low = 0;
  let high = subprogs.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (subprogs[middle].start <= off) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Index of the function that begins at `off`, -ENOENT without one. */
export function findSubprog(env: VerifierEnv, off: number): number {
  const subprog = findContainingSubprog(env, off);
  return subprog < 0 || env.subprogs[subprog].start !== off ? -ERRNO.ENOENT : subprog;
}

export const subprogIsGlobal = (env: VerifierEnv, subprog: number): boolean =>
  env.hasFuncInfoAux && env.subprogs[subprog].globalLinkage;

/** Name in the program's BTF, empty without function records. */
export function subprogName(env: VerifierEnv, subprog: number): string {
  if (!env.hasFuncInfo || env.progBtf === undefined) return '';
  return env.progBtf.name(env.funcInfo[subprog].typeId);
}

function addSubprog(env: VerifierEnv, off: number): number {
  if (off >= env.insns.length || off < 0) {
    env.log.write('call to invalid destination\n');
    return -ERRNO.EINVAL;
  }
  const found = findSubprog(env, off);
  if (found >= 0) return found;
  if (env.subprogs.length >= MAX_SUBPROGS) {
    env.log.write('too many subprograms\n');
    return -ERRNO.E2BIG;
  }
  env.subprogs.push(new SubprogInfo(off));
  env.subprogs.sort((a, b) => a.start - b.start);
  return env.subprogs.length - 1;
}

/** Offset of the function that a declaration tag of the main function names as exception callback; 0 without one. */
function findExceptionCallback(env: VerifierEnv): number {
  const btf = env.progBtf;
  if (!env.hasFuncInfo || btf === undefined) return 0;
  const { log } = env;
  const tag = findDeclTag(btf, env.funcInfo[0].typeId, -1, 'exception_callback:');
  if (typeof tag === 'number') {
    if (tag === -ERRNO.ENOENT) return 0;
    if (tag === -ERRNO.EEXIST) log.write('multiple exception callback tags for main subprog\n');
    return tag;
  }
  const id = btf.find(tag, BTF_KIND.FUNC);
  if (id === 0) {
    log.write(`exception callback '${tag}' could not be found in BTF\n`);
    return -ERRNO.ENOENT;
  }
  if (btf.linkage(id) !== 1) {
    log.write(`exception callback '${tag}' must have global linkage\n`);
    return -ERRNO.EINVAL;
  }
  let off = 0;
  for (const info of env.funcInfo) {
    if (info.typeId !== id) continue;
    off = info.insnOff;
    if (off === 0) {
      log.write('invalid exception callback insn_off in func_info: 0\n');
      off = -ERRNO.EINVAL;
    }
  }
  if (off === 0) {
    log.write('exception callback type id not found in func_info\n');
    return -ERRNO.EINVAL;
  }
  return off;
}

/** Finds every function and every kernel function that the program calls (add_subprog_and_kfunc). */
export function addSubprogsAndKfuncs(env: VerifierEnv): number {
  const { insns, log } = env;
  let ret = addSubprog(env, 0);
  if (ret !== 0) return ret;
  for (let i = 0; i < insns.length; i++) {
    const insn = insns[i];
    const local = isPseudoFunc(insn) || isPseudoCall(insn);
    if (!local && !isKfuncCall(insn)) continue;
    if (!env.bpfCapable) {
      log.write('loading/calling other bpf or kernel functions are allowed for CAP_BPF and CAP_SYS_ADMIN\n');
      return -ERRNO.EPERM;
    }
    ret = local ? addSubprog(env, (i + insn.imm + 1) | 0) : addKfuncCall(env, insn.imm, insn.off);
    if (ret < 0) return ret;
  }

  const callback = findExceptionCallback(env);
  if (callback < 0) return callback;
  if (callback > 0) {
    ret = addSubprog(env, callback);
    if (ret < 0) return ret;
    const subprog = env.subprogs.findIndex((s, i) => i > 0 && s.start === callback);
    if (subprog > 0) {
      env.exceptionCallbackSubprog = subprog;
      const info = env.subprogs[subprog];
      info.isCb = true;
      info.isAsyncCb = true;
      info.isExceptionCb = true;
    }
  }
  if (log.wants(LOG.INSNS)) for (const [i, s] of env.subprogs.entries()) log.write(`func#${i} @${s.start}\n`);
  return 0;
}

/** Jumps stay in their function, and none falls into the next (check_subprogs). */
export function checkSubprogs(env: VerifierEnv): number {
  const { insns, log } = env;
  let current = 0;
  let start = env.subprogs[0].start;
  let end = env.subprogEnd(0);
  for (let i = 0; i < insns.length; i++) {
    const insn = insns[i];
    const { code } = insn;
    const subprog = env.subprogs[current];
    const kind = insnClass(code);
    if (isHelperCall(insn) && insn.imm === HELPER.tail_call) {
      subprog.hasTailCall = true;
      subprog.tailCallReachable = true;
    }
    if (kind === CLASS.LD && (insnMode(code) === MODE.ABS || insnMode(code) === MODE.IND)) subprog.hasLdAbs = true;
    if ((kind === CLASS.JMP || kind === CLASS.JMP32) && insnOp(code) !== JMP.EXIT && insnOp(code) !== JMP.CALL) {
      const off = (i + jumpOffset(insn) + 1) | 0;
      if (off < start || off >= end) {
        log.write(`jump out of range from insn ${i} to ${off}\n`);
        return -ERRNO.EINVAL;
      }
    }
    if (i === end - 1) {
      if (code !== EXIT && !isGoto(insn)) {
        log.write('last insn is not an exit or jmp\n');
        return -ERRNO.EINVAL;
      }
      start = end;
      current++;
      if (current < env.subprogs.length) end = env.subprogEnd(current);
    }
  }
  return 0;
}
