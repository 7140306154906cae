// bpf_loop with one known callback, as a loop in the program itself.
import { ERRNO } from '../../errno.ts';
import type { Insn } from '../../isa/insn.ts';
import { ALU, CALL_KIND, CLASS, JMP, SIZE } from '../../isa/opcode.ts';
import { HELPER } from '../../isa/uapi.ts';
import type { VerifierEnv } from '../verifier/env.ts';
import { aluImm, callFunction, FP, goto, jumpImm, jumpReg, load, movImm, movReg, store } from './build.ts';
import { Expansion } from './expand.ts';

const CALL = CLASS.JMP | JMP.CALL;
/** Most iterations that bpf_loop makes. */
const MAX_LOOPS = 8 * 1024 * 1024;
const REG_BYTES = 8;
/** Registers that the loop needs for limit, counter and context; what they hold is kept on the stack meanwhile. */
const LIMIT = 6;
const COUNTER = 7;
const CONTEXT = 8;
const SAVED = [LIMIT, COUNTER, CONTEXT];
/** Where in the sequence the callback is called. */
const CALL_SLOT = 12;

/** `base`: offset from the frame pointer of the three saved registers. */
function loopInsns(base: number): Insn[] {
  const at = (k: number): number => base + k * REG_BYTES;
  return [
    jumpImm(JMP.JLE, 1, MAX_LOOPS, 2),
    movImm(0, -ERRNO.E2BIG, 32),
    goto(16),
    ...SAVED.map((reg, k) => store(SIZE.DW, FP, reg, at(k))),
    movReg(LIMIT, 1),
    movImm(COUNTER, 0, 32),
    movReg(CONTEXT, 3),
    jumpReg(JMP.JGE, COUNTER, LIMIT, 5),
    movReg(1, COUNTER),
    movReg(2, CONTEXT),
    callFunction(0),
    aluImm(ALU.ADD, COUNTER, 1),
    jumpImm(JMP.JEQ, 0, 0, -6),
    movReg(0, COUNTER),
    ...SAVED.map((reg, k) => load(SIZE.DW, reg, FP, at(k))),
  ];
}

/**
 * Inlines each call of bpf_loop that the verifier found fit: one callback on all paths and flags 0. The stack of a
 * function with such calls grows by three slots.
 * rule: optimize_bpf_loop, 6.18
 */
export function optimizeBpfLoop(env: VerifierEnv): number {
  const { insns, aux, subprogs } = env;
  const fits = (i: number): boolean => {
    const { code, src, imm } = insns[i];
    return code === CALL && src === CALL_KIND.HELPER && imm === HELPER.loop && aux[i].loopInline?.fitForInline === true;
  };
  if (!insns.some((_, i) => fits(i))) return 0;

  const expansion = new Expansion(env);
  const callbackStarts = subprogs.map((s) => s.start);
  subprogs.forEach((subprog, k) => {
    const end = callbackStarts[k + 1] ?? insns.length;
    const depth = subprog.stackDepth;
    let extra = 0;
    for (let i = subprog.start; i < end; i++) {
      if (!fits(i)) {
        expansion.keep(i);
        continue;
      }
      extra = SAVED.length * REG_BYTES + ((8 - (depth % 8)) % 8);
      const callback = aux[i].loopInline?.callbackSubprogno ?? 0;
      expansion.replace(i, loopInsns(-(depth + extra)), { slot: CALL_SLOT, target: callbackStarts[callback] });
    }
    subprog.stackDepth += extra;
  });
  return expansion.finish();
}
