// Comparisons of packet pointers with the packet's end (or of metadata with its start): how many bytes are there. Rule:
// try_match_pkt_pointers, find_good_pkt_pointers, is_pkt_ptr_branch_taken, verifier.c, 6.18.
import type { Insn } from '../../isa/insn.ts';
import { CLASS, insnClass, insnOp, insnSrc, JMP, SRC } from '../../isa/opcode.ts';
import { changeRegs } from './each-reg.ts';
import { isInitPktPointer } from './pointer-kinds.ts';
import { REG, type RegState, type VerifierState } from './types.ts';

/** Offsets into a packet stay below 64 KiB. */
const MAX_PACKET_OFF = 0xffff;

/** Values of RegState.range of a pointer known to be at or past the end, or past it. */
const AT_PKT_END = -1;
const BEYOND_PKT_END = -2;

/** `a op b` written as `b op' a`. */
const FLIPPED: Readonly<Record<number, number>> = {
  [JMP.JGE]: JMP.JLE,
  [JMP.JGT]: JMP.JLT,
  [JMP.JLE]: JMP.JGE,
  [JMP.JLT]: JMP.JGT,
};

/** `pkt op end`: on which side of the jump the bytes are there, and whether even the one at `pkt` is. */
const GOOD_SIDE: Readonly<Record<number, { jump: boolean; open: boolean }>> = {
  [JMP.JGT]: { jump: false, open: false },
  [JMP.JGE]: { jump: false, open: true },
  [JMP.JLT]: { jump: true, open: true },
  [JMP.JLE]: { jump: true, open: false },
};

/**
 * The bytes below `pkt` are in the packet: notes it in all pointers of its type and id. With `open` the byte at `pkt` is
 * there as well.
 */
export function findGoodPktPointers(state: VerifierState, pkt: RegState, type: number, open: boolean): void {
  const { id, off } = pkt;
  if (off < 0 || (off === 0 && open)) return;
  // A pointer that far might have wrapped around.
  if (pkt.umax > BigInt(MAX_PACKET_OFF) || pkt.umax + BigInt(off) > BigInt(MAX_PACKET_OFF)) return;
  const range = open ? off + 1 : off;
  changeRegs(
    state,
    (reg) => reg.type === type && reg.id === id && reg.range < range,
    (reg) => {
      reg.range = range;
    },
  );
}

/** The register is at or past the packet's end; with `beyond` past it. Metadata pointers are not tracked. */
function markPktEnd(state: VerifierState, regno: number, beyond: boolean): void {
  if (state.cur.regs[regno].type === REG.PACKET) state.cur.ownReg(regno).range = beyond ? BEYOND_PKT_END : AT_PKT_END;
}

const isPair = (pkt: RegState, limit: RegState): boolean =>
  (pkt.type === REG.PACKET && limit.type === REG.PACKET_END) ||
  (pkt.type === REG.PACKET_META && isInitPktPointer(limit, REG.PACKET));

/**
 * If the jump compares a packet pointer with its limit: notes on both sides what it says and returns true. `src` is read
 * for register comparisons only.
 */
export function tryMatchPktPointers(
  insn: Insn,
  dst: RegState,
  src: RegState,
  fallThrough: VerifierState,
  jump: VerifierState,
): boolean {
  if (insnSrc(insn.code) !== SRC.X || insnClass(insn.code) === CLASS.JMP32) return false;
  let op = insnOp(insn.code);
  if (GOOD_SIDE[op] === undefined) return false;
  let pkt = dst;
  let regno = insn.dst;
  if (!isPair(dst, src)) {
    if (!isPair(src, dst)) return false;
    op = FLIPPED[op];
    pkt = src;
    regno = insn.src;
  }
  const side = GOOD_SIDE[op];
  const [good, bad] = side.jump ? [jump, fallThrough] : [fallThrough, jump];
  findGoodPktPointers(good, pkt, pkt.type, side.open);
  markPktEnd(bad, regno, !side.open);
  return true;
}

/** 1 if `dst op src` of two packet pointers is certain, 0 if it is certainly not, -1 if unknown. */
export function pktBranchTaken(dst: RegState, src: RegState, opcode: number): number {
  let pkt = dst;
  let op = opcode;
  if (src.type !== REG.PACKET_END) {
    if (dst.type !== REG.PACKET_END) return -1;
    pkt = src;
    op = FLIPPED[opcode] ?? opcode;
  }
  if (pkt.range >= 0) return -1;
  const beyond = pkt.range === BEYOND_PKT_END;
  const atOrBeyond = beyond || pkt.range === AT_PKT_END;
  if ((op === JMP.JLE || op === JMP.JGT) && beyond) return op === JMP.JGT ? 1 : 0;
  if ((op === JMP.JLT || op === JMP.JGE) && atOrBeyond) return op === JMP.JGE ? 1 : 0;
  return -1;
}
