// Replacing instructions by sequences: one pass builds the new program and all that refers to its indices.
//
// Linux patches one instruction at a time and corrects every jump each time. The result is the same here: a jump of an
// untouched instruction keeps its target, a jump to a replaced one reaches the first of its replacement, and a jump
// inside a replacement counts from where it stands, its forward target being an index of the program as it then was.
import { ERRNO } from '../../errno.ts';
import { type Insn, LDIMM64 } from '../../isa/insn.ts';
import { CALL_KIND, CLASS, insnClass, insnOp, JMP, PSEUDO } from '../../isa/opcode.ts';
import type { VerifierEnv } from '../verifier/env.ts';
import { InsnAux } from '../verifier/types.ts';
import { definesNarrow } from './definition.ts';
import { rewriteState } from './state.ts';

const S16_MIN = -0x8000;
const S16_MAX = 0x7fff;
const GOTO_LONG = CLASS.JMP32 | JMP.JA;

/** Where the distance to another instruction stands in `insn`, if it has one. */
export function relativeField(insn: Insn): 'off' | 'imm' | undefined {
  const { code, src } = insn;
  if (code === LDIMM64) return src === PSEUDO.FUNC ? 'imm' : undefined;
  const cls = insnClass(code);
  if (cls !== CLASS.JMP && cls !== CLASS.JMP32) return undefined;
  switch (insnOp(code)) {
    case JMP.EXIT:
      return undefined;
    case JMP.CALL:
      return src === CALL_KIND.PSEUDO ? 'imm' : undefined;
    default:
      return code === GOTO_LONG ? 'imm' : 'off';
  }
}

/** A call of a replacement that goes to an instruction of the program before the pass. */
export interface PatchLink {
  /** Index in the replacement. */
  slot: number;
  target: number;
}

/**
 * One pass over a program: for each index in order either `keep` or `replace`, then `finish`. Until then the program
 * in `env` is as it was, except that instructions are changed in place.
 */
export class Expansion {
  private readonly env: VerifierEnv;
  private readonly insns: readonly Insn[];
  private readonly out: Insn[] = [];
  private readonly aux: InsnAux[] = [];
  /** New index of each old one; complete up to the one in work. */
  private readonly starts: Int32Array;
  /** Distances still to be found: index in `out`, old index of the target. */
  private readonly openAt: number[] = [];
  private readonly openTarget: number[] = [];
  /** Old index that each of them stems from. */
  private readonly openFrom: number[] = [];
  /** Backward jumps whose distance left 16 bits, by old index. */
  private readonly tooFarBack: number[] = [];
  private readonly skipped: ReadonlyMap<number, number>;
  /** The instruction whose distance backwards has been corrected last. */
  private settled = -1;
  /** Target of that instruction if it stands behind it, else -1. */
  private ahead = -1;

  /**
   * `entrySkip`: jumps (not calls) to these old indices shall pass over that many instructions of the replacement
   * there, as after code that is to run once only was put in front.
   */
  constructor(env: VerifierEnv, entrySkip: ReadonlyMap<number, number> = new Map()) {
    this.env = env;
    this.insns = env.insns;
    this.starts = new Int32Array(env.insns.length + 1);
    this.skipped = entrySkip;
  }

  /** Index in the new program of what comes next. */
  get position(): number {
    return this.out.length;
  }

  /**
   * Instruction `i`, which is the next to be kept or replaced, with its distance to what stands before it counted in
   * the new program already: so it can become part of its own replacement.
   */
  take(i: number): Insn {
    const insn = this.insns[i];
    if (this.settled === i) return insn;
    this.settled = i;
    this.ahead = -1;
    this.starts[i] = this.out.length;
    const field = relativeField(insn);
    if (field === undefined) return insn;
    const target = i + 1 + insn[field];
    if (target > i) this.ahead = target;
    else if (target >= 0) this.close(insn, field, this.out.length, target, i);
    return insn;
  }

  keep(i: number): void {
    this.out.push(this.take(i));
    this.aux.push(this.env.aux[i]);
    if (this.ahead >= 0) this.open(i, this.ahead);
  }

  /**
   * Puts `patch`, one or more instructions, in the place of instruction `i`. The verifier's notes of `i` stay with the
   * last of them.
   */
  replace(i: number, patch: readonly Insn[], link?: PatchLink): void {
    const at = this.out.length;
    const old = this.env.aux[i];
    const last = patch.length - 1;
    this.starts[i] = at;
    patch.forEach((insn, slot) => {
      const aux = slot === last ? old : new InsnAux();
      aux.seen = old.seen;
      aux.origin = old.origin;
      aux.zextDst = definesNarrow(insn);
      this.out.push(insn);
      this.aux.push(aux);
      const field = relativeField(insn);
      if (field === undefined) return;
      if (link?.slot === slot) {
        if (link.target > i) this.open(i, link.target, at + slot);
        else insn[field] = this.starts[link.target] - (at + slot) - 1;
        return;
      }
      const beyond = slot + 1 + insn[field] - patch.length;
      if (beyond >= 0) this.open(i, i + 1 + beyond, at + slot);
    });
  }

  private open(from: number, target: number, at = this.out.length - 1): void {
    this.openAt.push(at);
    this.openTarget.push(target);
    this.openFrom.push(from);
  }

  private close(insn: Insn, field: 'off' | 'imm', at: number, target: number, from: number): void {
    const distance = this.newTarget(insn, target) - at - 1;
    if (field === 'off' && distance < S16_MIN) this.tooFarBack.push(from);
    insn[field] = distance;
  }

  private newTarget(insn: Insn, target: number): number {
    const cls = insnClass(insn.code);
    const jumps = (cls === CLASS.JMP || cls === CLASS.JMP32) && insnOp(insn.code) !== JMP.CALL;
    const skip = jumps ? (this.skipped.get(target) ?? 0) : 0;
    // A reference to an unused function, which is gone, may point behind the end; it keeps its distance to that.
    const count = this.insns.length;
    return target <= count ? this.starts[target] + skip : this.out.length + target - count;
  }

  /**
   * Puts the new program into `env` and moves starts of functions and line records along.
   * -ENOMEM, with a line in the log, when a jump has become longer than 16 bits can say.
   * rule: bpf_patch_insn_data, 6.18
   */
  finish(): number {
    const { env, starts, out } = this;
    const count = this.insns.length;
    starts[count] = out.length;
    const failed: number[] = this.tooFarBack.map((from) => this.firstTooFarBack(from));
    for (let k = 0; k < this.openAt.length; k++) {
      const at = this.openAt[k];
      const insn = out[at];
      const field = relativeField(insn) as 'off' | 'imm';
      const distance = this.newTarget(insn, this.openTarget[k]) - at - 1;
      if (field === 'off' && distance > S16_MAX)
        failed.push(this.firstTooFarAhead(this.openFrom[k], this.openTarget[k], distance));
      insn[field] = distance;
    }
    if (failed.length > 0) {
      const culprit = failed.reduce((a, b) => Math.min(a, b));
      env.log.write(`insn ${env.aux[culprit].origIdx} cannot be patched due to 16-bit range\n`);
      return -ERRNO.ENOMEM;
    }
    for (const subprog of env.subprogs) subprog.start = starts[subprog.start];
    for (const line of env.lineInfo) line.insnOff = starts[line.insnOff];
    const state = rewriteState(env);
    state.peakLength = Math.max(state.peakLength, out.length);
    env.insns = out;
    env.aux = this.aux;
    return 0;
  }

  /** Instructions added by the replacements of all old indices up to and including `i`. */
  private grownBy(i: number): number {
    return this.starts[i + 1] - (i + 1);
  }

  /** First replacement, of those between a forward jump and its target, that took the distance out of range. */
  private firstTooFarAhead(from: number, target: number, final: number): number {
    const before = final - (this.grownBy(target - 1) - this.grownBy(from));
    let low = from + 1;
    let high = target - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (before + this.grownBy(middle) - this.grownBy(from) > S16_MAX) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** The same for a backward jump at old index `from`. */
  private firstTooFarBack(from: number): number {
    const final = this.insns[from].off;
    const lastGrowth = this.grownBy(from - 1);
    let low = 0;
    let high = from - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (final + lastGrowth - this.grownBy(middle) < S16_MIN) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
