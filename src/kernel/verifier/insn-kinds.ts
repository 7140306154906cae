// What kind of instruction this is, where it can go next, and where it calls. Rule: verifier.c and liveness.c, 6.18.
import { type Insn, LDIMM64 } from '../../isa/insn.ts';
import { ATOMIC, CALL_KIND, CLASS, insnClass, insnMode, insnOp, JMP, MODE, PSEUDO } from '../../isa/opcode.ts';
import { HELPER } from '../../isa/uapi.ts';
import type { VerifierEnv } from './env.ts';
import { specialKfunc } from './special-kfuncs.ts';

export const CALL = CLASS.JMP | JMP.CALL;
export const EXIT = CLASS.JMP | JMP.EXIT;
const GOTO = CLASS.JMP | JMP.JA;
const GOTO_LONG = CLASS.JMP32 | JMP.JA;
const MAY_GOTO = CLASS.JMP | JMP.JCOND;

export const isLdimm64 = (insn: Insn): boolean => insn.code === LDIMM64;
/** Slots that the instruction takes. */
export const insnSlots = (insn: Insn): number => (insn.code === LDIMM64 ? 2 : 1);
export const isPseudoFunc = (insn: Insn): boolean => insn.code === LDIMM64 && insn.src === PSEUDO.FUNC;
export const isHelperCall = (insn: Insn): boolean => insn.code === CALL && insn.src === CALL_KIND.HELPER;
export const isPseudoCall = (insn: Insn): boolean => insn.code === CALL && insn.src === CALL_KIND.PSEUDO;
export const isKfuncCall = (insn: Insn): boolean => insn.code === CALL && insn.src === CALL_KIND.KFUNC;
export const isMayGoto = (insn: Insn): boolean => insn.code === MAY_GOTO && insn.src === 0;
/** Unconditional jump, near or far. */
export const isGoto = (insn: Insn): boolean => insn.code === GOTO || insn.code === GOTO_LONG;

export const isAtomicLoad = (insn: Insn): boolean =>
  insnClass(insn.code) === CLASS.STX && insnMode(insn.code) === MODE.ATOMIC && insn.imm === ATOMIC.LOAD_ACQ;

/** Distance that a jump goes beyond the next instruction. */
export const jumpOffset = (insn: Insn): number => (insn.code === GOTO_LONG ? insn.imm : insn.off);

const SYNC_CALLBACK_HELPERS: ReadonlySet<number> = new Set([
  HELPER.for_each_map_elem,
  HELPER.find_vma,
  HELPER.loop,
  HELPER.user_ringbuf_drain,
]);
const SYNC_CALLBACK_KFUNCS: ReadonlySet<string> = new Set(['bpf_rbtree_add_impl']);
const SLEEPABLE_CALLBACK_KFUNCS: ReadonlySet<string> = new Set([
  'bpf_wq_set_callback_impl',
  'bpf_task_work_schedule_signal_impl',
  'bpf_task_work_schedule_resume_impl',
]);

const named = (env: VerifierEnv, insn: Insn, names: ReadonlySet<string>): boolean => {
  const name = specialKfunc(env.image, insn.imm);
  return name !== undefined && names.has(name);
};

/** A call that runs a function of the program before it returns. */
export const callsSyncCallback = (env: VerifierEnv, insn: Insn): boolean =>
  (isHelperCall(insn) && SYNC_CALLBACK_HELPERS.has(insn.imm)) ||
  (isKfuncCall(insn) && named(env, insn, SYNC_CALLBACK_KFUNCS));

/** A call that registers a function of the program to run later. */
export const callsAsyncCallback = (env: VerifierEnv, insn: Insn): boolean =>
  (isHelperCall(insn) && insn.imm === HELPER.timer_set_callback) ||
  (isKfuncCall(insn) && named(env, insn, SLEEPABLE_CALLBACK_KFUNCS));

/** Whether the function that `callsAsyncCallback` found may sleep: timers may not, work queues and task work may. */
export const asyncCallbackSleeps = (env: VerifierEnv, insn: Insn): boolean =>
  isKfuncCall(insn) && insn.off === 0 && named(env, insn, SLEEPABLE_CALLBACK_KFUNCS);

export const isThrow = (env: VerifierEnv, insn: Insn): boolean =>
  isKfuncCall(insn) && insn.off === 0 && specialKfunc(env.image, insn.imm) === 'bpf_throw';

/** Edges of a jump opcode's operation: 1 falls through, 2 jumps. */
const EDGES = new Uint8Array(256).fill(1);
for (const jumpClass of [CLASS.JMP, CLASS.JMP32]) {
  EDGES[jumpClass | JMP.EXIT] = 0;
  EDGES[jumpClass | JMP.JA] = 2;
  for (const op of [JMP.JEQ, JMP.JNE, JMP.JLT, JMP.JLE, JMP.JGT, JMP.JGE]) EDGES[jumpClass | op] = 3;
  for (const op of [JMP.JSGT, JMP.JSGE, JMP.JSLT, JMP.JSLE, JMP.JCOND, JMP.JSET]) EDGES[jumpClass | op] = 3;
}

/**
 * Writes the instructions that can follow `idx` within its function to `out` (a call is followed by the next one) and
 * gives their number: fall-through first.
 */
export function successors(insns: readonly Insn[], idx: number, out: Int32Array): number {
  const insn = insns[idx];
  const edges = EDGES[insnClass(insn.code) | insnOp(insn.code)];
  let n = 0;
  if ((edges & 1) !== 0) out[n++] = idx + insnSlots(insn);
  if ((edges & 2) !== 0) out[n++] = idx + jumpOffset(insn) + 1;
  return n;
}
