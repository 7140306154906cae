// Taking instructions out of a program, and all that refers to their indices along with them.
import type { Insn } from '../../isa/insn.ts';
import type { LineInfo, VerifierEnv } from '../verifier/env.ts';
import { relativeField } from './expand.ts';

/** Instructions [start, start + count) go. */
export interface Removal {
  start: number;
  count: number;
}

/**
 * Takes out `removals`, which ascend and do not overlap. Linux removes them one by one; this is the same in one pass. A
 * jump into a removal (none comes from code that can run, but references to unused functions may) then points as far
 * behind its end as it pointed behind its start.
 * rule: verifier_remove_insns, 6.18
 */
export function removeInstructions(env: VerifierEnv, removals: readonly Removal[]): void {
  if (removals.length === 0) return;
  const { insns } = env;
  const count = insns.length;
  // Size of the removal that an index lies in, 0 for those that stay; and new index of each.
  const within = new Int32Array(count + 1);
  for (const { start, count: size } of removals) within.fill(size, start, start + size);
  const moved = new Int32Array(count + 1);
  let next = 0;
  for (let i = 0; i <= count; i++) {
    moved[i] = next;
    if (i < count && within[i] === 0) next++;
  }
  const newIndex = (target: number): number => {
    let at = target;
    while (at < count && within[at] !== 0) at += within[at];
    return at <= count ? moved[at] : moved[count] + at - count;
  };

  const stays = (_: unknown, i: number): boolean => within[i] === 0;
  insns.forEach((insn: Insn, i) => {
    const field = within[i] === 0 ? relativeField(insn) : undefined;
    if (field === undefined) return;
    const target = i + 1 + insn[field];
    if (target >= 0) insn[field] = newIndex(target) - moved[i] - 1;
  });
  removeFunctions(env, within, moved);
  removeLines(env, within, moved);
  env.insns = insns.filter(stays);
  env.aux = env.aux.filter(stays);
}

/** Functions of which nothing is left go, with their func_info records. */
function removeFunctions(env: VerifierEnv, within: Int32Array, moved: Int32Array): void {
  const { subprogs } = env;
  const end = within.length - 1;
  const kept = subprogs.map(({ start }, k) => moved[start] !== moved[subprogs[k + 1]?.start ?? end]);
  if (env.funcInfo.length > 0) env.funcInfo = env.funcInfo.filter((_, k) => kept[k] !== false);
  env.subprogs = subprogs.filter((_, k) => kept[k]);
  for (const subprog of env.subprogs) subprog.start = moved[subprog.start];
}

/** The last record of a removed stretch goes over to the instruction behind it, unless that has its own. */
function removeLines(env: VerifierEnv, within: Int32Array, moved: Int32Array): void {
  const { lineInfo } = env;
  if (lineInfo.length === 0) return;
  const end = within.length - 1;
  const before = new Int32Array(lineInfo.length + 1);
  const kept: LineInfo[] = [];
  lineInfo.forEach((line, k) => {
    before[k] = kept.length;
    const at = moved[line.insnOff];
    if (within[line.insnOff] === 0) {
      kept.push(line);
    } else {
      const following = lineInfo[k + 1];
      const inherited = moved[end] !== at && (following === undefined || moved[following.insnOff] !== at);
      if (!inherited) return;
      kept.push(line);
    }
    line.insnOff = at;
  });
  before[lineInfo.length] = kept.length;
  for (const subprog of env.subprogs) subprog.linfoIdx = before[Math.min(subprog.linfoIdx, lineInfo.length)];
  env.lineInfo = kept;
}
