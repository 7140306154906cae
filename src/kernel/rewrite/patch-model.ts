// Linux's way of changing a program, one instruction at a time with all jumps corrected each time: slow, and the measure
// for the passes that do it in one go. Used by tests only.
import type { Insn } from '../../isa/insn.ts';
import type { LineInfo } from '../verifier/env.ts';
import { relativeField } from './expand.ts';

export interface PatchModel {
  insns: Insn[];
  starts: number[];
  lines: LineInfo[];
}

/** The change of `size` at `at` seen from each instruction outside [at, at + kept). rule: bpf_adj_branches, 6.18 */
function adjustBranches(insns: Insn[], at: number, oldEnd: number, newEnd: number): void {
  const delta = newEnd - oldEnd;
  insns.forEach((insn, i) => {
    const field = relativeField(insn);
    if (field === undefined) return;
    const target = i + insn[field] + 1;
    if (i < at && target >= oldEnd) insn[field] += delta;
    else if (i >= newEnd && target < newEnd) insn[field] -= delta;
  });
}

/** rule: bpf_patch_insn_data, 6.18 */
export function patchOne(model: PatchModel, at: number, patch: readonly Insn[]): void {
  const grown = patch.length - 1;
  model.insns.splice(at, 1, ...patch);
  if (grown === 0) return;
  adjustBranches(model.insns, at, at + 1, at + patch.length);
  model.starts = model.starts.map((start) => (start > at ? start + grown : start));
  for (const line of model.lines) if (line.insnOff > at) line.insnOff += grown;
}

/** rule: verifier_remove_insns, 6.18 */
export function removeSome(model: PatchModel, at: number, count: number): void {
  model.insns.splice(at, count);
  adjustBranches(model.insns, at, at + count, at);
  const ends = [...model.starts, model.insns.length + count];
  model.starts = model.starts
    .filter((start, k) => start < at || ends[k + 1] > at + count)
    .map((start) => (start >= at + count ? start - count : Math.min(start, at)));
  const removed = model.lines.filter((line) => line.insnOff >= at && line.insnOff < at + count);
  const covered = model.lines.some((line) => line.insnOff === at + count);
  const heir = model.insns.length > at && !covered ? removed.pop() : undefined;
  model.lines = model.lines.filter((line) => !removed.includes(line));
  for (const line of model.lines) {
    if (line === heir) line.insnOff = at;
    else if (line.insnOff >= at + count) line.insnOff -= count;
  }
}
