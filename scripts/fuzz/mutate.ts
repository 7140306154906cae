// Small damage to finished programs: what no generator would write.
import { decodeInsns, encodeInsns, type Insn, insn } from '../../src/isa/insn.ts';
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

/** One to `most` changes, each of a random kind; the number of instructions stays. */
export function mutate(rng: Rng, wire: Uint8Array, most: number): Uint8Array {
  const insns = decodeInsns(wire);
  if (insns.length === 0) return wire;
  for (let i = rng.between(1, most); i > 0; i--) rng.pick(MUTATIONS)(rng, insns, rng.below(insns.length));
  for (const x of insns) x.code &= 0xff;
  return encodeInsns(insns);
}
