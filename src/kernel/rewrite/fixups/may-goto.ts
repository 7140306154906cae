// may_goto: a jump out of a loop that has run for too long.
import type { Insn } from '../../../isa/insn.ts';
import { ALU, JMP, SIZE } from '../../../isa/opcode.ts';
import type { KernelImage } from '../../image/image.ts';
import type { VerifierEnv } from '../../verifier/env.ts';
import { callDistance } from '../address.ts';
import { AX, aluImm, call, FP, jumpImm, load, movImm, store, storeImm } from '../build.ts';
import { Expansion } from '../expand.ts';

/** Bytes of stack that a function with may_goto needs: a count, and the time when the loop began. */
export const MAY_GOTO_STACK = 16;
/** Iterations between looks at the clock. */
const TIMED_LOOPS = 0xffff;

/** `depth`: bytes of stack that the function uses otherwise. */
export function expandMayGoto(image: KernelImage, insn: Insn, depth: number): Insn[] {
  const counter = -depth - MAY_GOTO_STACK;
  return [
    load(SIZE.DW, AX, FP, counter),
    jumpImm(JMP.JEQ, AX, 0, insn.off >= 0 ? insn.off + 5 : insn.off - 1),
    aluImm(ALU.SUB, AX, 1),
    jumpImm(JMP.JNE, AX, 0, 2),
    movImm(AX, counter),
    call(callDistance(image, 'arch_bpf_timed_may_goto')),
    store(SIZE.DW, FP, AX, counter),
  ];
}

/**
 * Functions with may_goto begin by setting the count; jumps to their first instruction pass over that. 0 or a negative
 * errno.
 * rule: do_misc_fixups, 6.18, timed may_goto
 */
export function initialiseMayGoto(env: VerifierEnv): number {
  const depths = new Map(env.subprogs.filter((s) => s.stackExtra > 0).map((s) => [s.start, s.stackDepth]));
  if (depths.size === 0) return 0;
  const expansion = new Expansion(env, new Map([...depths.keys()].map((start) => [start, 2])));
  for (let i = 0; i < env.insns.length; i++) {
    const depth = depths.get(i);
    if (depth === undefined) expansion.keep(i);
    else {
      const first = expansion.take(i);
      expansion.replace(i, [storeImm(SIZE.DW, FP, -depth, TIMED_LOOPS), storeImm(SIZE.DW, FP, -depth + 8, 0), first]);
    }
  }
  return expansion.finish();
}
