// Follows a run through the graph of claims.
//
// The claim that is checked (state embedding): before each instruction that a run of an accepted program executes, there
// is a state that the verifier executed this instruction in, reached along the same steps, with the same frames, and
// inside of it lies every register and stack slot of the run that is not tainted (taint.ts says which are): numbers in
// the known bits and in the signed and unsigned bounds of 64 and 32 bits; numbers with one id equal, or apart by the
// constants noted; pointers at the fixed offset plus an admitted variable one from where the object begins; packet
// pointers with as many bytes before the end as was claimed; slots claimed to be zero, zero; null pointers only where
// they may be. Steps that the verifier takes for a call of a callback (back to the call, which may call again) are
// taken without a check, since the run does not stop there. Global functions are followed in their own graph.
import type { Insn } from '../../../isa/insn.ts';
import { ATOMIC, CALL_KIND, CLASS, insnClass, insnMode, JMP, MODE, sizeBytes } from '../../../isa/opcode.ts';
import type { VerifierEnv } from '../../verifier/env.ts';
import { findSubprog, subprogIsGlobal } from '../../verifier/subprogs.ts';
import { type FuncState, REG, type RegState, SLOT } from '../../verifier/types.ts';
import { type Code, type Machine, STACK_BYTES } from '../machine.ts';
import { type Located, linkProblem, narrowed, nullProblem, type Places, problem } from './claims.ts';
import type { ClaimGraph, ClaimNode } from './graph.ts';
import { copyTaint, newFrameTaint, sameTaint, type Taint, taintOfCut } from './taint.ts';
import {
  FRESH,
  type FrameBases,
  newFrameBases,
  type Situation,
  type StackBytes,
  transferBases,
  transferTaint,
} from './transfer.ts';

/** A claim that the run may be inside of. */
interface Match {
  readonly node: ClaimNode;
  readonly taint: Taint;
}

/** What a run is compared with. */
export interface Claims {
  env: VerifierEnv;
  graph: ClaimGraph;
  /** What Linux itself claims wrongly is left out. */
  excuses: boolean;
}

/** The run within a function that was verified by itself. */
interface Scope {
  /** Index of its outermost frame in the machine. */
  readonly base: number;
  matches: Match[];
}

/** Matches that are followed at a time. */
const MAX_MATCHES = 64;
const CALL = CLASS.JMP | JMP.CALL;
const EXIT = CLASS.JMP | JMP.EXIT;

/** Ends a run that has shown all it can. */
export class RunOver extends Error {}

export class Simulation {
  /** Why the run left the claims; the first reasons only. */
  readonly problems: string[] = [];
  steps = 0;
  private readonly env: VerifierEnv;
  private readonly graph: ClaimGraph;
  private readonly excuses: boolean;
  private readonly code: Code;
  private readonly scopes: Scope[] = [];
  private readonly bases: FrameBases[] = [];
  private readonly places: (m: Machine, base: number) => Places;
  private prev: { pc: number; depth: number } | undefined = undefined;

  constructor({ env, graph, excuses }: Claims, code: Code, places: (m: Machine, base: number) => Places) {
    this.env = env;
    this.excuses = excuses;
    this.graph = graph;
    this.code = code;
    this.places = places;
  }

  private get scope(): Scope {
    return this.scopes[this.scopes.length - 1];
  }

  /** The machine's observer. Throws RunOver where nothing can be checked any more. */
  observe(m: Machine): void {
    if (m.code !== this.code) throw new RunOver('tail call');
    this.steps++;
    const depth = m.frames.length;
    const failure = this.advance(m.pc, depth) ?? this.check(m, depth);
    if (failure !== undefined) {
      this.problems.push(`insn ${m.pc}: ${failure}`);
      throw new RunOver('left the claims');
    }
    this.transfer(m, depth);
    this.prev = { pc: m.pc, depth };
  }

  /** States that the run can be in next: what claims say about the call that is being executed. */
  nextClaims(pc: number, frames: number): readonly FuncState[] {
    const found: FuncState[] = [];
    for (const { node } of this.scope.matches) {
      for (const { to } of node.next) {
        if (to.insn === pc && to.frames.length === frames - this.scope.base)
          found.push(to.frames[to.frames.length - 1]);
      }
    }
    return found;
  }

  private advance(pc: number, depth: number): string | undefined {
    while (this.bases.length < depth) this.bases.push(newFrameBases());
    this.bases.length = depth;
    const { prev } = this;
    if (prev === undefined) return this.enterScope(pc, 0);
    const last = this.env.insns[prev.pc];
    if (depth > prev.depth && last.code === CALL && last.src === CALL_KIND.PSEUDO && this.isGlobalAt(pc)) {
      return this.enterScope(pc, depth - 1);
    }
    if (depth <= this.scope.base) this.scopes.pop();
    const { scope } = this;
    const frames = depth - scope.base;
    let matches = scope.matches;
    if (last.code === EXIT) matches = matches.flatMap((match) => this.backToCall(match, prev.pc));
    const next = matches.flatMap((match) => this.follow(match, pc, frames));
    scope.matches = distinct([...next, ...next.flatMap((match) => this.forks(match))]);
    return scope.matches.length > 0 ? undefined : `no claim leads here from insn ${prev.pc}`;
  }

  private isGlobalAt(pc: number): boolean {
    const subprog = findSubprog(this.env, pc);
    return subprog > 0 && subprogIsGlobal(this.env, subprog);
  }

  private enterScope(pc: number, base: number): string | undefined {
    const node = this.graph.roots.get(pc);
    if (node === undefined) return 'a function that was not verified';
    this.scopes.push({ base, matches: [{ node, taint: [newFrameTaint()] }] });
    this.bases[base] = newFrameBases();
    return undefined;
  }

  /** The end of a callback leads to the call that runs it; both are possible ways on. */
  private backToCall(match: Match, exit: number): Match[] {
    const { node } = match;
    const inner = node.frames[node.frames.length - 1];
    if (node.insn !== exit || !inner.inCallbackFn) return [match];
    const insn = this.env.insns[inner.callsite];
    return this.follow(match, inner.callsite, node.frames.length - 1).map((at) => {
      transferTaint({ insn, node: at.node, touched: undefined, entersFunction: false, excuses: true }, at.taint);
      return at;
    });
  }

  /** The verifier walks some operations once more, with each of the values that the operand can have. */
  private forks(match: Match): Match[] {
    const { insn, frames } = match.node;
    const kind = insnClass(this.env.insns[insn].code);
    return kind === CLASS.ALU || kind === CLASS.ALU64 ? this.follow(match, insn, frames.length) : [];
  }

  private follow({ node, taint }: Match, pc: number, frames: number): Match[] {
    const found: Match[] = [];
    for (const { to, cut } of node.next) {
      if (to.insn !== pc || to.frames.length !== frames) continue;
      const here = copyTaint(taint);
      if (here.length > frames) here.length = frames;
      while (here.length < frames) here.push(newFrameTaint());
      found.push({ node: to, taint: cut === undefined ? here : taintOfCut(this.env, cut.equal, pc, here) });
    }
    return found;
  }

  /** Keeps the matches that the run is inside of; a reason where there are none. */
  private check(m: Machine, depth: number): string | undefined {
    const { scope } = this;
    const places = this.places(m, scope.base);
    const reasons: string[] = [];
    scope.matches = scope.matches.filter(({ node, taint }) => {
      const reason = this.reasonAgainst(m, node, taint, depth, places);
      if (reason !== undefined) reasons.push(reason);
      return reason === undefined;
    });
    if (scope.matches.length === 0) return reasons.slice(0, 3).join(' | ');
    this.resolveFresh(m, scope.matches[0].node, depth);
    return undefined;
  }

  private reasonAgainst(m: Machine, node: ClaimNode, taint: Taint, depth: number, places: Places): string | undefined {
    const all: Located[] = [];
    for (const [f, frame] of node.frames.entries()) {
      this.locateRegs(m, f, frame, taint, depth, all);
      const stained = this.locateStack(m, f, frame, taint, all);
      if (stained !== undefined) return stained;
    }
    for (const located of all) {
      const reason = problem(located, places);
      if (reason !== undefined) return reason;
    }
    return linkProblem(all) ?? nullProblem(all);
  }

  private valueOf(m: Machine, k: number, reg: number, depth: number): bigint | undefined {
    if (k === depth - 1) return m.regs[reg];
    return reg >= 6 ? m.frames[k + 1].saved[reg - 6] : undefined;
  }

  private locateRegs(m: Machine, f: number, frame: FuncState, taint: Taint, depth: number, out: Located[]): void {
    const k = this.scope.base + f;
    for (let r = 0; r < 10; r++) {
      if ((taint[f].regs & (1 << r)) !== 0) continue;
      const value = this.valueOf(m, k, r, depth);
      if (value === undefined) continue;
      const base = this.bases[k].regs[r];
      out.push({ name: `frame${f} r${r}`, reg: frame.regs[r], value, base: base === FRESH ? undefined : base });
    }
  }

  /** A reason where a byte claimed to be zero is not. */
  private locateStack(m: Machine, f: number, frame: FuncState, taint: Taint, out: Located[]): string | undefined {
    const k = this.scope.base + f;
    const { bytes } = m.frames[k].stack;
    for (const [i, slot] of frame.stack.entries()) {
      const { types } = slot;
      for (let b = 0; b < 8; b++) {
        const at = i * 8 + b;
        if (types[b] === SLOT.ZERO && taint[f].stack[at] === 0 && bytes[STACK_BYTES - 1 - at] !== 0) {
          return `frame${f} fp-${at + 1} is not zero`;
        }
      }
      if (types[7] !== SLOT.SPILL) continue;
      let size = 1;
      while (size < 8 && types[7 - size] === SLOT.SPILL) size++;
      const low = i * 8 + 8 - size;
      if (taint[f].stack.subarray(low, low + size).some((t) => t !== 0)) continue;
      let value = 0n;
      for (let b = 0; b < size; b++) value |= BigInt(bytes[STACK_BYTES - 8 * (i + 1) + b]) << BigInt(8 * b);
      const reg = size === 8 ? slot.spilled : narrowed(slot.spilled, size);
      const base = this.bases[k].stack[i];
      out.push({ name: `frame${f} fp-${8 * (i + 1)}`, reg, value, base: base === FRESH ? undefined : base });
    }
    return undefined;
  }

  /** Pointers that have just come into being begin where their first claim says. */
  private resolveFresh(m: Machine, node: ClaimNode, depth: number): void {
    const inner = node.frames.length - 1;
    const { regs } = this.bases[depth - 1];
    for (let r = 0; r < 10; r++) {
      if (regs[r] === FRESH) regs[r] = firstBase(node.frames[inner].regs[r], m.regs[r]);
    }
  }

  private transfer(m: Machine, depth: number): void {
    const { scope, env, excuses } = this;
    const insn = env.insns[m.pc];
    const entersFunction = insn.code === CALL && insn.src === CALL_KIND.PSEUDO && !this.isGlobalAt(m.pc + insn.imm + 1);
    const touched = touchedStack(m, insn, scope.base);
    for (const { node, taint } of scope.matches) transferTaint({ insn, node, touched, entersFunction, excuses }, taint);
    const situation: Situation = { insn, node: scope.matches[0].node, touched, entersFunction, excuses };
    const inScope = this.bases.slice(scope.base, depth);
    transferBases(situation, inScope);
    this.bases.splice(scope.base, this.bases.length, ...inScope);
  }
}

const firstBase = (reg: RegState, value: bigint): bigint | undefined =>
  reg.type === REG.SCALAR || reg.type === REG.NOT_INIT || reg.varOff.mask !== 0n
    ? undefined
    : BigInt.asUintN(64, value - BigInt(reg.off) - reg.varOff.value);

function distinct(matches: Match[]): Match[] {
  const kept: Match[] = [];
  for (const match of matches) {
    if (kept.length >= MAX_MATCHES) break;
    if (!kept.some((k) => k.node === match.node && sameTaint(k.taint, match.taint))) kept.push(match);
  }
  return kept;
}

/** Register that an access goes through; -1 for none. */
function pointerReg({ code, dst, src, imm }: Insn): number {
  switch (insnClass(code)) {
    case CLASS.LDX:
      return src;
    case CLASS.ST:
      return dst;
    case CLASS.STX:
      return insnMode(code) === MODE.ATOMIC && imm === ATOMIC.LOAD_ACQ ? src : dst;
    default:
      return -1;
  }
}

function touchedStack(m: Machine, insn: Insn, base: number): StackBytes | undefined {
  const reg = pointerReg(insn);
  if (reg < 0) return undefined;
  const size = sizeBytes(insn.code);
  const address = BigInt.asUintN(64, m.regs[reg] + BigInt(insn.off));
  for (let k = base; k < m.frames.length; k++) {
    const { stack } = m.frames[k];
    const offset = address - stack.base;
    if (offset < 0n || offset + BigInt(size) > BigInt(STACK_BYTES)) continue;
    return { frame: k - base, at: STACK_BYTES - Number(offset) - size, size };
  }
  return undefined;
}
