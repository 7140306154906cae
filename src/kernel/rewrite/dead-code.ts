// Instructions that no path reaches.
import type { Insn } from '../../isa/insn.ts';
import { CLASS, insnClass, insnOp, JMP } from '../../isa/opcode.ts';
import type { VerifierEnv } from '../verifier/env.ts';
import { goto } from './build.ts';
import { type Removal, removeInstructions } from './remove.ts';

const isConditional = ({ code }: Insn): boolean => {
  const op = insnOp(code);
  switch (insnClass(code)) {
    case CLASS.JMP32:
      return op !== JMP.JA;
    case CLASS.JMP:
      return op !== JMP.JA && op !== JMP.EXIT && op !== JMP.CALL;
    default:
      return false;
  }
};

/**
 * A conditional jump of which one side was never seen becomes an unconditional one.
 * rule: opt_hard_wire_dead_code_branches, 6.18
 */
export function hardWireDeadCodeBranches(env: VerifierEnv): number {
  const { insns, aux } = env;
  for (let i = 0; i < insns.length; i++) {
    const insn = insns[i];
    if (!isConditional(insn)) continue;
    if (!aux[i + 1].seen) insns[i] = goto(insn.off);
    else if (!aux[i + 1 + insn.off].seen) insns[i] = goto(0);
  }
  return 0;
}

/**
 * Takes out all that was never seen.
 * rule: opt_remove_dead_code, 6.18
 */
export function removeDeadCode(env: VerifierEnv): number {
  const { aux } = env;
  const removals: Removal[] = [];
  for (let i = 0; i < aux.length; i++) {
    const start = i;
    while (i < aux.length && !aux[i].seen) i++;
    if (i > start) removals.push({ start, count: i - start });
  }
  removeInstructions(env, removals);
  return 0;
}

/**
 * Without the right to have them removed, unseen instructions become jumps to themselves.
 * rule: sanitize_dead_code, 6.18
 */
export function sanitizeDeadCode(env: VerifierEnv): number {
  env.aux.forEach((aux, i) => {
    if (aux.seen) return;
    env.insns[i] = goto(-1);
    aux.zextDst = false;
  });
  return 0;
}
