// Which registers may still be read at each instruction. Rule: compute_live_registers, verifier.c, 6.18.
import type { Insn } from '../../isa/insn.ts';
import {
  ALU,
  ATOMIC,
  CLASS,
  insnClass,
  insnMode,
  insnOp,
  insnSize,
  insnSrc,
  JMP,
  MODE,
  SIZE,
  SRC,
} from '../../isa/opcode.ts';
import { bitRange, callSummary } from './call-summary.ts';
import type { VerifierEnv } from './env.ts';
import { isLdimm64, successors } from './insn-kinds.ts';
import { LOG } from './log.ts';
import { verboseInsn } from './print-insn.ts';

/** Every bit: what an instruction reads that nobody knows better. */
const ALL = 0xffff;
const CALLER_SAVED = 0x3f;
const R0 = 1;

/** Registers read in the low half, written in the high half. */
const uses = (use: number, def: number): number => (def << 16) | use;

function memoryUses(insn: Insn, src: number, dst: number): number {
  const mode = insnMode(insn.code);
  switch (insnClass(insn.code)) {
    case CLASS.LDX:
      return mode === MODE.MEM || mode === MODE.MEMSX ? uses(src, dst) : ALL;
    case CLASS.ST:
      return mode === MODE.MEM ? uses(dst, 0) : ALL;
    default:
      if (mode === MODE.MEM) return uses(dst | src, 0);
      return mode === MODE.ATOMIC ? atomicUses(insn, src, dst) : ALL;
  }
}

function atomicUses({ imm }: Insn, src: number, dst: number): number {
  switch (imm) {
    case ATOMIC.CMPXCHG:
      return uses(R0 | dst | src, R0);
    case ATOMIC.LOAD_ACQ:
      return uses(src, dst);
    case ATOMIC.STORE_REL:
      return uses(dst | src, 0);
    default:
      return uses(dst | src, (imm & ATOMIC.FETCH) !== 0 ? src : 0);
  }
}

function jumpUses(env: VerifierEnv, insn: Insn, src: number, dst: number): number {
  const register = insnSrc(insn.code) === SRC.X;
  switch (insnOp(insn.code)) {
    case JMP.JA:
      return uses(register ? dst : 0, 0);
    case JMP.JCOND:
      return 0;
    case JMP.EXIT:
      return uses(R0, 0);
    case JMP.CALL: {
      const summary = callSummary(env, insn);
      return uses(summary ? bitRange(summary.params, 1) : CALLER_SAVED & ~R0, CALLER_SAVED);
    }
    default:
      return uses(register ? dst | src : dst, 0);
  }
}

function insnUses(env: VerifierEnv, insn: Insn): number {
  const { code } = insn;
  const src = 1 << insn.src;
  const dst = 1 << insn.dst;
  const register = insnSrc(code) === SRC.X;
  switch (insnClass(code)) {
    case CLASS.LD:
      return insnMode(code) === MODE.IMM && insnSize(code) === SIZE.DW ? uses(0, dst) : ALL;
    case CLASS.ALU:
    case CLASS.ALU64:
      if (insnOp(code) === ALU.END) return uses(dst, dst);
      if (insnOp(code) === ALU.MOV) return uses(register ? src : 0, dst);
      return uses(register ? dst | src : dst, dst);
    case CLASS.JMP:
    case CLASS.JMP32:
      return jumpUses(env, insn, src, dst);
    default:
      return memoryUses(insn, src, dst);
  }
}

/** Sets liveRegsBefore of every instruction; prints it at level 2. */
export function computeLiveRegisters(env: VerifierEnv): void {
  const { insns, aux, postorder } = env;
  const masks = new Uint32Array(insns.length);
  for (let i = 0; i < insns.length; i++) masks[i] = insnUses(env, insns[i]);
  const before = new Uint16Array(insns.length);
  const after = new Uint16Array(insns.length);
  const next = new Int32Array(2);
  let changed = true;
  while (changed) {
    changed = false;
    for (let p = 0; p < postorder.length; p++) {
      const i = postorder[p];
      const n = successors(insns, i, next);
      let out = 0;
      for (let s = 0; s < n; s++) out |= before[next[s]];
      const live = (out & ~(masks[i] >>> 16)) | (masks[i] & ALL);
      if (out === after[i] && live === before[i]) continue;
      before[i] = live;
      after[i] = out;
      changed = true;
    }
  }
  for (let i = 0; i < insns.length; i++) aux[i].liveRegsBefore = before[i];
  if (env.log.wants(LOG.INSNS)) printLiveRegisters(env);
}

function printLiveRegisters(env: VerifierEnv): void {
  const { insns, aux, log } = env;
  log.write('Live regs before insn:\n');
  for (let i = 0; i < insns.length; i++) {
    const { scc, liveRegsBefore } = aux[i];
    let text = scc === 0 ? '    ' : `${String(scc).padStart(3)} `;
    text += `${String(i).padStart(3)}: `;
    for (let r = 0; r < 10; r++) text += (liveRegsBefore & (1 << r)) === 0 ? '.' : r;
    log.append(`${text} `);
    verboseInsn(env, i);
    if (isLdimm64(insns[i])) i++;
  }
}
