// Jumps to the next instruction.
import type { Insn } from '../../isa/insn.ts';
import { CLASS, JMP } from '../../isa/opcode.ts';
import type { VerifierEnv } from '../verifier/env.ts';
import { removeInstructions } from './remove.ts';

const GOTO = CLASS.JMP | JMP.JA;
const MAY_GOTO = CLASS.JMP | JMP.JCOND;

const isPlain = ({ code, dst, src, imm }: Insn): boolean =>
  (code === GOTO || code === MAY_GOTO) && dst === 0 && src === 0 && imm === 0;

/**
 * Takes out `goto pc+0` and `may_goto pc+0`. The scan goes forward; only after a may_goto it looks once more at the one
 * before, which may have become a jump to the next instruction through the removal.
 * rule: opt_remove_nops, 6.18
 */
export function removeNops(env: VerifierEnv): number {
  const { insns } = env;
  const removed: number[] = [];
  const left: number[] = [];
  for (let i = 0; i < insns.length; i++) {
    let at: number | undefined = i;
    // All between `at` and the next unscanned instruction is gone, so a jump there does nothing.
    while (at !== undefined && isPlain(insns[at]) && at + 1 + insns[at].off === i + 1) {
      removed.push(at);
      at = insns[at].code === MAY_GOTO ? left.pop() : undefined;
    }
    if (at !== undefined) left.push(at);
  }
  removed.sort((a, b) => a - b);
  removeInstructions(
    env,
    removed.map((start) => ({ start, count: 1 })),
  );
  return 0;
}
