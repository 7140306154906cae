// How much stack every chain of calls needs at most, and which functions get a stack of their own in per-CPU memory.
// Rule: check_max_stack_depth, verifier.c, 6.18.
import { ERRNO } from '../../errno.ts';
import { ATTACH_TYPE, PROG_TYPE } from '../../isa/uapi.ts';
import type { VerifierEnv } from './env.ts';
import { isKfuncCall, isPseudoCall, isPseudoFunc, isThrow } from './insn-kinds.ts';
import { findSubprog } from './subprogs.ts';
import { MAX_CALL_FRAMES, MAX_STACK, PRIV_STACK, type SubprogInfo } from './types.ts';
import { verifierBug } from './verifier-bug.ts';

/** Stack in front of a function that makes tail calls. */
const TAIL_CALL_STACK = 256;
/** Functions that need less keep it on the common stack. */
const MIN_PRIVATE_STACK = 64;

/** Programs that cannot be interrupted by themselves on one CPU, so that a stack a CPU suffices. */
const PRIVATE_STACK_TYPES: ReadonlySet<number> = new Set([
  PROG_TYPE.kprobe,
  PROG_TYPE.tracepoint,
  PROG_TYPE.perf_event,
  PROG_TYPE.raw_tracepoint,
]);
/** Rule: bpf_enable_priv_stack, bpf_prog_check_recur. */
function mayUsePrivateStack(env: VerifierEnv): boolean {
  if (PRIVATE_STACK_TYPES.has(env.request.type) || env.progFlags.has('priv_stack_requested')) return true;
  // Trampolines guard their programs against recursion, iterators have none.
  return env.request.type === PROG_TYPE.tracing && env.expectedAttachType !== ATTACH_TYPE.trace_iter;
}

const roundUp16 = (bytes: number): number => (bytes + 15) & ~15;

/** A walk over the calls of one function that nothing of the program calls. */
class DepthWalk {
  private readonly env: VerifierEnv;
  private readonly privateStacks: boolean;
  private readonly returns: { insnIdx: number; subprog: number }[] = [];
  private depth = 0;
  private tailCallReachable = false;

  constructor(env: VerifierEnv, privateStacks: boolean) {
    this.env = env;
    this.privateStacks = privateStacks;
  }

  private get subprogs(): SubprogInfo[] {
    return this.env.subprogs;
  }

  /** 0 or a negative errno. */
  run(root: number): number {
    const { env, returns } = this;
    let subprog = root;
    let i = this.subprogs[root].start;
    if (!this.privateStacks) this.subprogs[root].privStackMode = PRIV_STACK.NO;
    let err = this.enter(subprog);
    while (err === 0) {
      const end = env.subprogEnd(subprog);
      let callee = -1;
      for (; i < end; i++) {
        callee = this.calleeAt(i, subprog);
        if (callee !== -1) break;
      }
      if (callee < -1) return callee;
      if (callee >= 0) {
        returns.push({ insnIdx: i + 1, subprog });
        i = this.subprogs[callee].start;
        subprog = callee;
        err = this.descend(subprog);
        continue;
      }
      err = this.noteTailCalls();
      if (err !== 0) return err;
      const back = returns.pop();
      if (back === undefined) return 0;
      const { privStackMode, stackDepth } = this.subprogs[subprog];
      if (privStackMode !== PRIV_STACK.ADAPTIVE) this.depth -= roundUp16(stackDepth);
      i = back.insnIdx;
      subprog = back.subprog;
    }
    return err;
  }

  private descend(subprog: number): number {
    const info = this.subprogs[subprog];
    if (!this.privateStacks) info.privStackMode = PRIV_STACK.NO;
    if (info.hasTailCall) this.tailCallReachable = true;
    if (this.returns.length >= MAX_CALL_FRAMES) {
      this.env.log.write(`the call stack of ${this.returns.length} frames is too deep !\n`);
      return -ERRNO.E2BIG;
    }
    return this.enter(subprog);
  }

  /** Adds the stack of a function. */
  private enter(subprog: number): number {
    const { log } = this.env;
    const info = this.subprogs[subprog];
    if (subprog !== 0 && info.hasTailCall && this.depth >= TAIL_CALL_STACK) {
      log.write(`tail_calls are not allowed when call stack of previous frames is ${this.depth} bytes. Too large\n`);
      return -ERRNO.EACCES;
    }
    const bytes = roundUp16(info.stackDepth);
    if (this.privateStacks && info.privStackMode === PRIV_STACK.UNKNOWN && bytes >= MIN_PRIVATE_STACK) {
      info.privStackMode = PRIV_STACK.ADAPTIVE;
    }
    if (info.privStackMode === PRIV_STACK.ADAPTIVE) {
      if (bytes <= MAX_STACK) return 0;
      log.write(`stack size of subprog ${subprog} is ${bytes}. Too large\n`);
      return -ERRNO.EACCES;
    }
    this.depth += bytes;
    if (this.depth <= MAX_STACK) return 0;
    log.write(`combined stack size of ${this.returns.length + 1} calls is ${this.depth}. Too large\n`);
    return -ERRNO.EACCES;
  }

  /** Function that is run from instruction `i` on the stack of `subprog`; -1: none; else a negative errno. */
  private calleeAt(i: number, subprog: number): number {
    const { env } = this;
    const insn = env.insns[i];
    if (isKfuncCall(insn) && insn.off === 0) {
      const inCallback = this.subprogs[subprog].isCb || this.returns.some((r) => this.subprogs[r.subprog].isCb);
      if (!inCallback || !isThrow(env, insn)) return -1;
      env.log.write(`bpf_throw kfunc (insn ${i}) cannot be called from callback subprog ${subprog}\n`);
      return -ERRNO.EINVAL;
    }
    if (!isPseudoCall(insn) && !isPseudoFunc(insn)) return -1;
    const target = i + insn.imm + 1;
    const callee = findSubprog(env, target);
    if (callee < 0) return verifierBug(env, `callee not found at insn ${target}`, 'sidx < 0');
    const info = this.subprogs[callee];
    if (info.isAsyncCb) {
      if (info.hasTailCall) return verifierBug(env, 'subprog has tail_call and async cb');
      if (!isPseudoCall(insn)) return -1;
      if (info.isExceptionCb) {
        env.log.write(`insn ${i} cannot call exception cb directly`);
        return -ERRNO.EINVAL;
      }
    }
    return callee;
  }

  /** At the end of a function: those that lead to a tail call must keep the count of tail calls. */
  private noteTailCalls(): number {
    if (this.tailCallReachable) {
      for (const { subprog } of this.returns) {
        if (this.subprogs[subprog].isExceptionCb) {
          this.env.log.write('cannot tail call within exception cb\n');
          return -ERRNO.EINVAL;
        }
        this.subprogs[subprog].tailCallReachable = true;
      }
    }
    if (this.subprogs[0].tailCallReachable) this.env.tailCallReachable = true;
    return 0;
  }
}

/**
 * Checks the stack of all chains of calls, after verification and before rewriting. Functions that also run
 * asynchronously stay on the common stack, so they are walked first. 0 or a negative errno.
 */
export function checkMaxStackDepth(env: VerifierEnv): number {
  const { subprogs } = env;
  const privateStacks = !subprogs.some((s) => s.hasTailCall) && mayUsePrivateStack(env);
  for (let i = subprogs.length - 1; i >= 0; i--) {
    if (i !== 0 && !subprogs[i].isAsyncCb) continue;
    const err = new DepthWalk(env, i === 0 && privateStacks).run(i);
    if (err < 0) return err;
  }
  env.usesPrivateStack = subprogs.some((s) => s.privStackMode === PRIV_STACK.ADAPTIVE);
  return 0;
}
