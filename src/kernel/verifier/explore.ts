// The walk along all paths of one function. Rule: do_check, verifier.c, 6.18.
import { ERRNO } from '../../errno.ts';
import { CLASS, insnClass, insnOp, JMP } from '../../isa/opcode.ts';
import { checkInsn, FUNCTION_END, PATH_END } from './check-insn.ts';
import type { VerifierEnv } from './env.ts';
import { pushInsnHistory } from './history.ts';
import { LOG } from './log.ts';
import { popStack, updateBranchCounts } from './path.ts';
import { verboseInsn, verboseLineInfo } from './print-insn.ts';
import { markVerifierStateScratched, printInsnState, printVerifierState } from './print-state.ts';
import { isStateVisited } from './prune.ts';
import { sanitizeMarkInsnSeen } from './speculation.ts';
import { commitStackWriteMarks, resetStackWriteMarks } from './stack-liveness.ts';
import { updateLiveStack } from './stack-liveness-update.ts';
import { verifierBug } from './verifier-bug.ts';

/** Instructions that may be walked, all paths together. */
export const MAX_INSNS = 1000000;

/** The path goes on, or has ended without an error. */
const GO_ON = 0;
const ENDED = 1;

/** Errors that a barrier against speculation makes harmless where only wrong-path execution meets them. */
const isRecoverable = (err: number): boolean => err === -ERRNO.EPERM || err === -ERRNO.EACCES || err === -ERRNO.EINVAL;

class Walk {
  private readonly env: VerifierEnv;
  private readonly level2: boolean;
  private readonly printing: boolean;
  private prevInsnIdx = -1;
  /** The state is printed in full before the next instruction. */
  private printState = false;

  constructor(env: VerifierEnv) {
    this.env = env;
    this.level2 = env.log.wants(LOG.INSNS);
    this.printing = env.log.wants(LOG.ANY_PATH);
  }

  /** 0 when all paths have been walked, or a negative errno. */
  run(): number {
    const { env } = this;
    while (true) {
      const verdict = this.step();
      if (verdict < 0) return verdict;
      if (verdict === GO_ON) continue;
      const err = this.endPath();
      if (err !== 0) return err;
      const from = popStack(env, !this.level2);
      if (from === undefined) return 0;
      this.prevInsnIdx = from;
      this.printState = true;
    }
  }

  private endPath(): number {
    const { env } = this;
    markVerifierStateScratched(env);
    const err = updateBranchCounts(env);
    if (err !== 0) return err;
    updateLiveStack(env);
    return 0;
  }

  /** One instruction: GO_ON, ENDED or a negative errno. */
  private step(): number {
    const { env } = this;
    const { state } = env;
    env.curHistEnt = undefined;
    env.prevInsnIdx = this.prevInsnIdx;
    const { insnIdx } = env;
    if (insnIdx < 0 || insnIdx >= env.insns.length) {
      env.log.write(`invalid insn idx ${insnIdx} insn_cnt ${env.insns.length}\n`);
      return -ERRNO.EFAULT;
    }
    if (++env.insnProcessed > MAX_INSNS) {
      env.log.write(`BPF program is too large. Processed ${env.insnProcessed} insn\n`);
      return -ERRNO.E2BIG;
    }
    state.lastInsnIdx = this.prevInsnIdx;
    state.insnIdx = insnIdx;
    const aux = env.aux[insnIdx];
    if (aux.prunePoint) {
      const visited = isStateVisited(env, insnIdx);
      if (visited < 0) return visited;
      if (visited === 1) {
        this.printSafe();
        return ENDED;
      }
    }
    if (aux.jmpPoint) {
      const err = pushInsnHistory(env, state, 0);
      if (err !== 0) return err;
    }
    if (this.printing) this.printInsn();
    env.request.observer?.visit(env);
    sanitizeMarkInsnSeen(env);
    this.prevInsnIdx = insnIdx;
    // A barrier stands here already: wrong-path execution comes no further.
    if (state.speculative && aux.nospec) return ENDED;
    return this.execute(insnIdx);
  }

  private execute(insnIdx: number): number {
    const { env } = this;
    const { state } = env;
    const aux = env.aux[insnIdx];
    resetStackWriteMarks(env, insnIdx);
    const err = checkInsn(env);
    const recoverable = isRecoverable(err);
    if (err >= 0 || recoverable) commitStackWriteMarks(env);
    if (recoverable && state.speculative) {
      aux.nospec = true;
      aux.aluState = 0;
      return ENDED;
    }
    if (err < 0) return err;
    if (err === PATH_END) return ENDED;
    if (err === FUNCTION_END) this.printState = true;
    if (state.speculative && aux.nospecResult) {
      const { code } = env.insns[insnIdx];
      const kind = insnClass(code);
      if ((kind === CLASS.JMP || kind === CLASS.JMP32) && insnOp(code) !== JMP.CALL) {
        return verifierBug(env, 'speculation barrier after jump instruction may not have the desired effect');
      }
      return ENDED;
    }
    return GO_ON;
  }

  private get from(): string {
    const { env } = this;
    const speculative = env.state.speculative ? ' (speculative execution)' : '';
    return `\nfrom ${env.prevInsnIdx} to ${env.insnIdx}${speculative}:`;
  }

  private printSafe(): void {
    if (this.printing) this.env.log.write(this.printState ? `${this.from} safe\n` : `${this.env.insnIdx}: safe\n`);
  }

  private printInsn(): void {
    const { env } = this;
    const { state, log } = env;
    if (this.level2 && this.printState) {
      log.append(this.from);
      printVerifierState(env, state, state.curframe, true);
      this.printState = false;
    }
    if ((env.scratchedRegs | env.scratchedSlotsLow | env.scratchedSlotsHigh) !== 0)
      printInsnState(env, state, state.curframe);
    verboseLineInfo(env, env.insnIdx, '; ');
    env.prevLogPos = log.endPos;
    log.appendAscii(`${env.insnIdx}: `);
    verboseInsn(env, env.insnIdx);
    env.prevInsnPrintPos = log.endPos - env.prevLogPos;
    env.prevLogPos = log.endPos;
  }
}

/** Walks everything that can happen from env.curState at env.insnIdx. 0 or a negative errno. */
export const doCheck = (env: VerifierEnv): number => new Walk(env).run();
