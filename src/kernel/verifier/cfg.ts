// The walk over the program's edges before verification: every instruction must be reachable; where paths meet, pruning
// may compare states. Rule: check_cfg, verifier.c, 6.18.
import { ERRNO } from '../../errno.ts';
import type { Insn } from '../../isa/insn.ts';
import { CALL_KIND, CLASS, insnClass, insnOp, insnSrc, JMP, SRC } from '../../isa/opcode.ts';
import { HELPERS } from '../../isa/uapi.ts';
import { PACKET_CHANGING } from '../helpers/index.ts';
import { helperProto } from '../program-types/helper-lookup.ts';
import type { VerifierEnv } from './env.ts';
import {
  callsAsyncCallback,
  callsSyncCallback,
  insnSlots,
  isHelperCall,
  isLdimm64,
  isMayGoto,
  isPseudoFunc,
  jumpOffset,
} from './insn-kinds.ts';
import { kfuncFacts } from './kfunc-facts.ts';
import { verboseLineInfo } from './print-insn.ts';
import { findContainingSubprog } from './subprogs.ts';

/** State of an instruction: DISCOVERED, plus the number of the edge taken last; then EXPLORED. */
const DISCOVERED = 0x10;
const EXPLORED = 0x20;
const FALLTHROUGH = 1;
const BRANCH = 2;

/** What a visit says: nothing left to do at this instruction, or another one has been put on the stack. */
const DONE = 0;
const GO_ON = 1;

class Walk {
  readonly env: VerifierEnv;
  readonly state: Uint8Array;
  readonly stack: Int32Array;
  depth = 0;

  constructor(env: VerifierEnv) {
    this.env = env;
    this.state = new Uint8Array(env.insns.length);
    this.stack = new Int32Array(env.insns.length);
  }

  start(at: number): void {
    this.state[at] = DISCOVERED;
    this.stack[0] = at;
    this.depth = 1;
  }

  /** Follows the edge from `t` to `w` unless that has been done. */
  push(t: number, w: number, edge: number): number {
    const { env, state } = this;
    if (state[t] >= (DISCOVERED | edge)) return DONE;
    if (w < 0 || w >= env.insns.length) {
      verboseLineInfo(env, t, `${t}: `);
      env.log.write(`jump out of range from insn ${t} to ${w}\n`);
      return -ERRNO.EINVAL;
    }
    if (edge === BRANCH) {
      env.aux[w].prunePoint = true;
      env.aux[w].jmpPoint = true;
    }
    if (state[w] === 0) {
      state[t] = DISCOVERED | edge;
      state[w] = DISCOVERED;
      if (this.depth >= env.insns.length) return -ERRNO.E2BIG;
      this.stack[this.depth++] = w;
      return GO_ON;
    }
    if (state[w] !== EXPLORED) {
      if (env.bpfCapable) return DONE;
      verboseLineInfo(env, t, `${t}: `);
      verboseLineInfo(env, w, `${w}: `);
      env.log.write(`back-edge from insn ${t} to ${w}\n`);
      return -ERRNO.EINVAL;
    }
    state[t] = DISCOVERED | edge;
    return DONE;
  }
}

/** A callee that moves packet data or sleeps makes its caller do so; callees are walked before this is asked last. */
function mergeCalleeEffects(env: VerifierEnv, callsite: number, target: number): void {
  const caller = env.subprogs[findContainingSubprog(env, callsite)];
  const callee = env.subprogs[findContainingSubprog(env, target)];
  if (callee.changesPktData) caller.changesPktData = true;
  if (callee.mightSleep) caller.mightSleep = true;
}

function visitCall(walk: Walk, t: number, insn: Insn, visitCallee: boolean): number {
  const { env } = walk;
  const after = t + insnSlots(insn);
  const ret = walk.push(t, after, FALLTHROUGH);
  if (ret !== DONE) return ret;
  env.aux[after].prunePoint = true;
  env.aux[after].jmpPoint = true;
  if (!visitCallee) return DONE;
  const target = t + insn.imm + 1;
  env.aux[t].prunePoint = true;
  mergeCalleeEffects(env, t, target);
  return walk.push(t, target, BRANCH);
}

/** What a call to the kernel means for pruning at the call and for the function that makes it. */
function noteKernelCall(env: VerifierEnv, t: number, insn: Insn): void {
  const aux = env.aux[t];
  if (callsAsyncCallback(env, insn)) aux.prunePoint = true;
  if (callsSyncCallback(env, insn)) {
    // The callback comes back here: a state seen before ends its loop.
    aux.callsCallback = true;
    aux.forceCheckpoint = true;
    aux.prunePoint = true;
    aux.jmpPoint = true;
  }
  let sleeps = false;
  let changesPacket = false;
  if (isHelperCall(insn)) {
    sleeps = helperProto(env, insn.imm)?.sleeps === true;
    changesPacket = PACKET_CHANGING.has(HELPERS[insn.imm]);
  } else if (insn.src === CALL_KIND.KFUNC) {
    const facts = kfuncFacts(env, insn);
    if (facts === undefined) return;
    if (facts.iterNext) {
      aux.prunePoint = true;
      aux.forceCheckpoint = true;
    }
    sleeps = facts.sleepable;
    changesPacket = facts.changesPacket;
  }
  if (!sleeps && !changesPacket) return;
  const subprog = env.subprogs[findContainingSubprog(env, t)];
  if (sleeps) subprog.mightSleep = true;
  if (changesPacket) subprog.changesPktData = true;
}

function visitJump(walk: Walk, t: number, insn: Insn): number {
  const { env } = walk;
  switch (insnOp(insn.code)) {
    case JMP.EXIT:
      return DONE;
    case JMP.CALL:
      noteKernelCall(env, t, insn);
      return visitCall(walk, t, insn, insn.src === CALL_KIND.PSEUDO);
    case JMP.JA: {
      if (insnSrc(insn.code) !== SRC.K) return -ERRNO.EINVAL;
      const target = t + jumpOffset(insn) + 1;
      const ret = walk.push(t, target, FALLTHROUGH);
      if (ret !== DONE) return ret;
      env.aux[target].prunePoint = true;
      env.aux[target].jmpPoint = true;
      return DONE;
    }
    default: {
      env.aux[t].prunePoint = true;
      if (isMayGoto(insn)) env.aux[t].forceCheckpoint = true;
      const ret = walk.push(t, t + 1, FALLTHROUGH);
      return ret === DONE ? walk.push(t, t + insn.off + 1, BRANCH) : ret;
    }
  }
}

function visit(walk: Walk, t: number): number {
  const insn = walk.env.insns[t];
  if (isPseudoFunc(insn)) return visitCall(walk, t, insn, true);
  const kind = insnClass(insn.code);
  if (kind === CLASS.JMP || kind === CLASS.JMP32) return visitJump(walk, t, insn);
  return walk.push(t, t + insnSlots(insn), FALLTHROUGH);
}

function explore(walk: Walk): number {
  while (walk.depth > 0) {
    const t = walk.stack[walk.depth - 1];
    const ret = visit(walk, t);
    if (ret < 0) return ret;
    if (ret === DONE) {
      walk.state[t] = EXPLORED;
      walk.depth--;
    }
  }
  return 0;
}

function checkAllReached(env: VerifierEnv, state: Uint8Array): number {
  for (let i = 0; i < env.insns.length; i++) {
    if (state[i] !== EXPLORED) {
      env.log.write(`unreachable insn ${i}\n`);
      return -ERRNO.EINVAL;
    }
    if (isLdimm64(env.insns[i])) {
      if (state[i + 1] !== 0) {
        env.log.write(`jump into the middle of ldimm64 insn ${i}\n`);
        return -ERRNO.EINVAL;
      }
      i++;
    }
  }
  return 0;
}

export function checkCfg(env: VerifierEnv): number {
  const walk = new Walk(env);
  walk.start(0);
  let err = explore(walk);
  if (err !== 0) return err;
  // Nothing calls the exception callback.
  const callback = env.exceptionCallbackSubprog === 0 ? 0 : env.subprogs[env.exceptionCallbackSubprog].start;
  if (callback !== 0 && walk.state[callback] !== EXPLORED) {
    walk.start(callback);
    err = explore(walk);
    if (err !== 0) return err;
  }
  err = checkAllReached(env, walk.state);
  if (err !== 0) return err;
  env.changesPktData = env.subprogs[0].changesPktData;
  env.mightSleep = env.subprogs[0].mightSleep;
  return 0;
}
