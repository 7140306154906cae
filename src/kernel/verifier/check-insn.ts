// One instruction of a path. Rule: do_check_insn, process_bpf_exit_full, verifier.c, 6.18.
import { ERRNO } from '../../errno.ts';
import type { Insn } from '../../isa/insn.ts';
import { CALL_KIND, CLASS, insnClass, insnMode, insnOp, insnSrc, JMP, MODE, SRC } from '../../isa/opcode.ts';
import { HELPER } from '../../isa/uapi.ts';
import { checkAluOp } from './alu.ts';
import { checkAtomic } from './atomic.ts';
import { checkCondJmpOp } from './branch.ts';
import { checkFuncCall, prepareFuncExit } from './calls.ts';
import type { VerifierEnv } from './env.ts';
import { checkHelperCall } from './helper-call.ts';
import { isThrow, jumpOffset } from './insn-kinds.ts';
import { checkKfuncCall } from './kfunc-call.ts';
import { checkLdAbs } from './ld-abs.ts';
import { checkLdImm } from './ld-imm.ts';
import { checkLoadMem, checkStoreImm, checkStoreReg } from './mem-access.ts';
import { checkResourceLeak } from './references.ts';
import { checkReturnCode } from './return-code.ts';
import { type SpecialKfunc, specialKfunc } from './special-kfuncs.ts';
import { sanitizeMarkInsnSeen } from './speculation.ts';

/** The instruction ended its path, or a function: the state has to be printed anew. Errors are negative. */
export const PATH_END = 1;
export const FUNCTION_END = 2;

/** Kernel functions that may be called with a lock held. */
const ALLOWED_UNDER_LOCK: ReadonlySet<SpecialKfunc> = new Set<SpecialKfunc>([
  'bpf_list_push_front_impl',
  'bpf_list_push_back_impl',
  'bpf_list_pop_front',
  'bpf_list_pop_back',
  'bpf_list_front',
  'bpf_list_back',
  'bpf_rbtree_add_impl',
  'bpf_rbtree_remove',
  'bpf_rbtree_first',
  'bpf_rbtree_root',
  'bpf_rbtree_left',
  'bpf_rbtree_right',
  'bpf_refcount_acquire_impl',
  'bpf_iter_num_new',
  'bpf_iter_num_next',
  'bpf_iter_num_destroy',
  'bpf_res_spin_lock',
  'bpf_res_spin_unlock',
  'bpf_res_spin_lock_irqsave',
  'bpf_res_spin_unlock_irqrestore',
]);

function refuse(env: VerifierEnv, text: string): number {
  env.log.write(`${text}\n`);
  return -ERRNO.EINVAL;
}

/** The end of a function, or with `exception` of the program from anywhere. */
function exit(env: VerifierEnv, exception: boolean): number {
  const outermost = exception || env.state.curframe === 0;
  const what = exception ? 'bpf_throw' : 'BPF_EXIT instruction in main prog';
  let err = checkResourceLeak(env, exception, outermost, what);
  if (err !== 0) return err;
  if (exception) return PATH_END;
  if (env.state.curframe !== 0) {
    err = prepareFuncExit(env);
    return err === 0 ? FUNCTION_END : err;
  }
  err = checkReturnCode(env, 0, 'R0');
  return err === 0 ? PATH_END : err;
}

function allowedUnderLock(env: VerifierEnv, insn: Insn): boolean {
  if (insn.src === CALL_KIND.HELPER) return insn.imm === HELPER.spin_unlock;
  if (insn.src !== CALL_KIND.KFUNC) return true;
  const name = insn.off === 0 ? specialKfunc(env.image, insn.imm) : undefined;
  return name !== undefined && ALLOWED_UNDER_LOCK.has(name);
}

function checkCall(env: VerifierEnv, insn: Insn): number {
  const { code, src, dst, off } = insn;
  if (
    insnSrc(code) !== SRC.K ||
    (src !== CALL_KIND.KFUNC && off !== 0) ||
    src > CALL_KIND.KFUNC ||
    dst !== 0 ||
    insnClass(code) === CLASS.JMP32
  ) {
    return refuse(env, 'BPF_CALL uses reserved fields');
  }
  if (env.state.activeLocks !== 0 && !allowedUnderLock(env, insn)) {
    return refuse(env, 'function calls are not allowed while holding a lock');
  }
  let err: number;
  if (src === CALL_KIND.PSEUDO) {
    err = checkFuncCall(env, insn);
  } else if (src === CALL_KIND.KFUNC) {
    err = checkKfuncCall(env, insn);
    if (err === 0 && isThrow(env, insn)) return exit(env, true);
  } else {
    err = checkHelperCall(env, insn);
  }
  if (err !== 0) return err;
  env.scratchedRegs |= 1;
  env.insnIdx++;
  return 0;
}

function checkJump(env: VerifierEnv, insn: Insn): number {
  const { code, src, dst, off, imm } = insn;
  const register = insnSrc(code) !== SRC.K;
  const narrow = insnClass(code) === CLASS.JMP32;
  env.jmpsProcessed++;
  switch (insnOp(code)) {
    case JMP.CALL:
      return checkCall(env, insn);
    case JMP.JA:
      if (register || src !== 0 || dst !== 0 || (narrow ? off : imm) !== 0) {
        return refuse(env, 'BPF_JA uses reserved fields');
      }
      env.insnIdx += jumpOffset(insn) + 1;
      return 0;
    case JMP.EXIT:
      if (register || imm !== 0 || src !== 0 || dst !== 0 || narrow) {
        return refuse(env, 'BPF_EXIT uses reserved fields');
      }
      return exit(env, false);
    default: {
      const err = checkCondJmpOp(env, insn);
      if (err === 0) env.insnIdx++;
      return err;
    }
  }
}

function checkStore(env: VerifierEnv, insn: Insn): number {
  const mode = insnMode(insn.code);
  if (insnClass(insn.code) === CLASS.ST) {
    if (mode !== MODE.MEM || insn.src !== 0) return refuse(env, 'BPF_ST uses reserved fields');
    return checkStoreImm(env, insn);
  }
  if (mode === MODE.ATOMIC) return checkAtomic(env, insn);
  if (mode !== MODE.MEM || insn.imm !== 0) return refuse(env, 'BPF_STX uses reserved fields');
  return checkStoreReg(env, insn, false);
}

function checkLoad(env: VerifierEnv, insn: Insn): number {
  switch (insnMode(insn.code)) {
    case MODE.ABS:
    case MODE.IND:
      return checkLdAbs(env, insn);
    case MODE.IMM: {
      const err = checkLdImm(env, insn);
      if (err !== 0) return err;
      env.insnIdx++;
      sanitizeMarkInsnSeen(env);
      return 0;
    }
    default:
      return refuse(env, 'invalid BPF_LD mode');
  }
}

/** Executes the instruction at env.insnIdx and moves on: 0, PATH_END, FUNCTION_END or a negative errno. */
export function checkInsn(env: VerifierEnv): number {
  const insn = env.insns[env.insnIdx];
  let err: number;
  switch (insnClass(insn.code)) {
    case CLASS.ALU:
    case CLASS.ALU64:
      err = checkAluOp(env, insn);
      break;
    case CLASS.LDX:
      err = checkLoadMem(env, insn, false, insnMode(insn.code) === MODE.MEMSX, true, 'ldx');
      break;
    case CLASS.ST:
    case CLASS.STX:
      err = checkStore(env, insn);
      break;
    case CLASS.LD:
      err = checkLoad(env, insn);
      break;
    default:
      return checkJump(env, insn);
  }
  if (err === 0) env.insnIdx++;
  return err;
}
