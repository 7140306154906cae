// Calls surrounded by spills and fills of registers that the callee keeps: if that stack is used for nothing else, the
// spills and fills can go. Rule: mark_fastcall_patterns, verifier.c, 6.18.
import { CLASS, MODE, SIZE } from '../../isa/opcode.ts';
import { bitRange, callSummary } from './call-summary.ts';
import type { VerifierEnv } from './env.ts';
import { CALL } from './insn-kinds.ts';
import { FP, type SubprogInfo } from './types.ts';

const CALLER_SAVED = 6;
const SPILL = CLASS.STX | MODE.MEM | SIZE.DW;
const FILL = CLASS.LDX | MODE.MEM | SIZE.DW;

function markPattern(env: VerifierEnv, subprog: SubprogInfo, call: number, lowestOff: number): void {
  const { insns, aux } = env;
  const summary = callSummary(env, insns[call]);
  if (summary === undefined) return;
  let expected = ~bitRange(summary.params, summary.isVoid ? 1 : 0) & ((1 << CALLER_SAVED) - 1);
  let pairs = 0;
  let off = lowestOff;
  while (pairs < CALLER_SAVED) {
    const i = pairs + 1;
    if (call - i < 0 || call + i >= insns.length) break;
    const spill = insns[call - i];
    const fill = insns[call + i];
    if (spill.code !== SPILL || fill.code !== FILL || spill.dst !== FP || fill.src !== FP) break;
    if (spill.src !== fill.dst || ((1 << spill.src) & expected) === 0) break;
    if (spill.off !== off || fill.off !== off) break;
    expected &= ~(1 << spill.src);
    aux[call - i].fastcallPattern = true;
    aux[call + i].fastcallPattern = true;
    pairs++;
    off += 8;
  }
  if (pairs === 0) return;
  if (summary.fastcall) aux[call].fastcallSpillsNum = pairs;
  else subprog.keepFastcallStack = true;
  subprog.fastcallStackOff = Math.min(subprog.fastcallStackOff, off);
}

/** Marks the patterns and notes below which offset of each function's stack they begin. */
export function markFastcallPatterns(env: VerifierEnv): void {
  const { insns } = env;
  for (const [s, subprog] of env.subprogs.entries()) {
    const end = env.subprogEnd(s);
    let lowestOff = 0;
    for (let i = subprog.start; i < end; i++) {
      const insn = insns[i];
      if (insn.code === SPILL && insn.dst === FP && insn.off < lowestOff) lowestOff = insn.off;
    }
    for (let i = subprog.start; i < end; i++) {
      if (insns[i].code === CALL) markPattern(env, subprog, i, lowestOff);
    }
  }
}
