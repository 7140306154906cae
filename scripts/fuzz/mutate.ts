// Small damage to finished programs: what no generator would write.
import { decodeInsns, encodeInsns, type Insn, insn, LDIMM64 } from '../../src/isa/insn.ts';
import { ALU, CLASS, insnClass, insnOp, insnSize, insnSrc, JMP, MODE, SIZE, SRC } from '../../src/isa/opcode.ts';
import { BINARY, COMPARE } from '../../src/isa/operations.ts';
import type { Rng } from './rng.ts';

const NUMBERS = [0, 1, -1, 2, 3, 4, 7, 8, 16, 31, 32, 63, 64, 255, 256, 0x7fff, 0x7fffffff, -0x80000000] as const;
const OPCODES = [
  0x04, 0x05, 0x06, 0x07, 0x0c, 0x0f, 0x14, 0x15, 0x16, 0x17, 0x18, 0x1c, 0x1d, 0x1e, 0x1f, 0x25, 0x26, 0x27, 0x2d,
  0x2f, 0x35, 0x36, 0x37, 0x3d, 0x3f, 0x45, 0x46, 0x47, 0x4d, 0x4f, 0x54, 0x55, 0x56, 0x57, 0x5c, 0x5d, 0x5f, 0x61,
  0x62, 0x63, 0x64, 0x65, 0x67, 0x69, 0x6a, 0x6b, 0x6c, 0x6d, 0x6f, 0x71, 0x72, 0x73, 0x74, 0x77, 0x79, 0x7a, 0x7b,
  0x7c, 0x7f, 0x81, 0x84, 0x85, 0x87, 0x89, 0x91, 0x95, 0x97, 0x9f, 0xa5, 0xa7, 0xad, 0xaf, 0xb4, 0xb5, 0xb7, 0xbc,
  0xbd, 0xbf, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7, 0xcc, 0xcd, 0xcf, 0xd3, 0xd4, 0xd5, 0xd7, 0xdb, 0xdc, 0xdd, 0xe5,
] as const;

type Mutation = (rng: Rng, insns: Insn[], at: number) => void;

const MUTATIONS: readonly Mutation[] = [
  (rng, insns, at) => {
    insns[at].imm = rng.pick(NUMBERS);
  },
  (rng, insns, at) => {
    insns[at].imm = (insns[at].imm + rng.pick([-8, -4, -1, 1, 4, 8])) | 0;
  },
  (rng, insns, at) => {
    insns[at].off = ((insns[at].off + rng.pick([-8, -4, -2, -1, 1, 2, 4, 8])) << 16) >> 16;
  },
  (rng, insns, at) => {
    insns[at].off = rng.pick([0, 1, -1, 8, -8, -16, 16]);
  },
  (rng, insns, at) => {
    insns[at].dst = rng.below(rng.chance(0.95) ? 11 : 16);
  },
  (rng, insns, at) => {
    insns[at].src = rng.below(rng.chance(0.95) ? 11 : 16);
  },
  (rng, insns, at) => {
    insns[at].code = rng.pick(OPCODES);
  },
  // The same instruction with another width, source or sign.
  (rng, insns, at) => {
    insns[at].code ^= rng.pick([0x01, 0x03, 0x08, 0x10, 0x10, 0x40, 0x80]);
  },
  (_, insns, at) => {
    insns[at] = insn(0x05);
  },
  (rng, insns, at) => {
    insns[at] = { ...insns[rng.below(insns.length)] };
  },
  (rng, insns, at) => {
    const other = rng.below(insns.length);
    [insns[at], insns[other]] = [insns[other], insns[at]];
  },
  (_, insns, at) => {
    const next = Math.min(at + 1, insns.length - 1);
    [insns[at], insns[next]] = [insns[next], insns[at]];
  },
  (rng, insns, at) => {
    insns[at] = insn(rng.below(256), rng.below(16), rng.below(16), rng.pick([0, 0, 1, -1, 8]), rng.pick(NUMBERS));
  },
];

const SIZES = [SIZE.B, SIZE.H, SIZE.W, SIZE.DW] as const;
const STEPS = [-16, -8, -4, -2, -1, 1, 2, 4, 8, 16] as const;

function other<T>(rng: Rng, list: readonly T[], now: T): T {
  const next = rng.pick(list);
  return next === now ? list[0] : next;
}

/** Changes an operation on numbers: what it does, with what, how wide. */
function changeAlu(rng: Rng, x: Insn): void {
  const op = insnOp(x.code);
  const immediate = insnSrc(x.code) === SRC.K;
  const what = rng.below(6);
  if (what === 0 && op !== ALU.END && op !== ALU.NEG && x.off === 0) {
    x.code = (x.code & 0x0f) | other(rng, BINARY, op as (typeof BINARY)[number]);
  } else if (what === 1) x.code ^= CLASS.ALU ^ CLASS.ALU64;
  else if (what === 2) x.dst = rng.below(10);
  else if (what === 3 && !immediate) x.src = rng.below(11);
  else if (immediate && op !== ALU.END && op !== ALU.NEG) {
    x.imm = rng.chance(0.5) ? (x.imm + rng.pick(STEPS)) | 0 : rng.pick(NUMBERS);
  } else x.dst = rng.below(10);
}

/** Changes a jump: its condition, with what, where to. */
function changeJump(rng: Rng, x: Insn, at: number, count: number): void {
  const op = insnOp(x.code);
  const call = op === JMP.CALL;
  if (op === JMP.EXIT || op === JMP.JCOND) return;
  const what = rng.below(6);
  if (call) {
    if (x.src === 0) x.imm = rng.chance(0.7) ? rng.pick([1, 2, 3, 5, 7, 8, 14, 25, 113, 181]) : rng.below(212);
    return;
  }
  if (op !== JMP.JA && what === 0) {
    x.code = (x.code & 0x0f) | other(rng, COMPARE, op as (typeof COMPARE)[number]);
  } else if (op !== JMP.JA && what === 1) x.code ^= CLASS.JMP ^ CLASS.JMP32;
  else if (op !== JMP.JA && what === 2) x.dst = rng.below(11);
  else if (what === 3) {
    const to = rng.chance(0.85) ? at + 1 + rng.below(Math.max(1, count - at - 1)) : rng.below(count);
    if (op !== JMP.JA || insnClass(x.code) === CLASS.JMP) x.off = to - at - 1;
  } else if (op !== JMP.JA && insnSrc(x.code) === SRC.X) x.src = rng.below(11);
  else if (op !== JMP.JA) x.imm = rng.chance(0.5) ? (x.imm + rng.pick(STEPS)) | 0 : rng.pick(NUMBERS);
}

/** Changes an access to memory: where, how much, with what. */
function changeAccess(rng: Rng, x: Insn): void {
  const kind = insnClass(x.code);
  const what = rng.below(6);
  if (what < 2) x.off = ((x.off + rng.pick(STEPS)) << 16) >> 16;
  else if (what === 2) x.code = (x.code & ~0x18) | rng.pick(SIZES);
  else if (what === 3) x.dst = rng.below(11);
  else if (what === 4 && kind !== CLASS.ST) x.src = rng.below(11);
  else if (kind === CLASS.ST) x.imm = rng.pick(NUMBERS);
  else if (kind === CLASS.LDX && insnSize(x.code) !== SIZE.DW) x.code ^= MODE.MEM ^ MODE.MEMSX;
  else x.off = ((x.off + rng.pick(STEPS)) << 16) >> 16;
}

/** A change after which the instruction is still well formed. */
function change(rng: Rng, insns: Insn[], at: number): void {
  const x = insns[at];
  switch (insnClass(x.code)) {
    case CLASS.ALU:
    case CLASS.ALU64:
      changeAlu(rng, x);
      break;
    case CLASS.JMP:
    case CLASS.JMP32:
      changeJump(rng, x, at, insns.length);
      break;
    case CLASS.LD:
      if (x.code === LDIMM64 && x.src === 0) x.imm = rng.pick(NUMBERS);
      break;
    default:
      changeAccess(rng, x);
  }
}

/** Leaves an instruction out: jumps over it, or puts a number in its place. */
function drop(rng: Rng, insns: Insn[], at: number): void {
  const x = insns[at];
  if (x.code === LDIMM64 || x.code === 0) return;
  if (rng.chance(0.6)) insns[at] = insn(CLASS.JMP | JMP.JA);
  else insns[at] = insn(CLASS.ALU64 | ALU.MOV, rng.below(10), 0, 0, rng.pick(NUMBERS));
}

/** One to `most` changes, each of a random kind, a few of them rough; the number of instructions stays. */
export function mutate(rng: Rng, wire: Uint8Array, most: number): Uint8Array {
  const insns = decodeInsns(wire);
  if (insns.length === 0) return wire;
  for (let i = rng.between(1, most); i > 0; i--) {
    const at = rng.below(insns.length);
    const how = rng.below(20);
    if (how === 0) rng.pick(MUTATIONS)(rng, insns, at);
    else if (how < 4) drop(rng, insns, at);
    else change(rng, insns, at);
  }
  for (const x of insns) x.code &= 0xff;
  return encodeInsns(insns);
}
