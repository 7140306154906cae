// Adding a scalar to a pointer and subtracting one from it. Rule: adjust_ptr_min_max_vals, verifier.c, 6.18.
import { ERRNO } from '../../errno.ts';
import { ALU_SIGN } from '../../isa/disasm.ts';
import type { Insn } from '../../isa/insn.ts';
import { ALU, CLASS, insnClass, insnOp } from '../../isa/opcode.ts';
import { regBoundsSync } from './bounds-sync.ts';
import type { VerifierEnv } from './env.ts';
import { isPktPointer } from './pointer-kinds.ts';
import { regTypeStr } from './reg-names.ts';
import { markReg32Unbounded, markRegUnknown } from './scalar-marks.ts';
import {
  newSanitizeWindow,
  reportSanitation,
  sanitizeCheckBounds,
  sanitizeNeeded,
  sanitizePtrAlu,
} from './speculation.ts';
import { tnumAdd, tnumIsConst, tnumSub } from './tnum.ts';
import { baseType, FLAG, mayBeNull, REG, type RegState, S64_MAX, S64_MIN, U64_MAX } from './types.ts';

/** Offsets, fixed or variable, stay below this. */
const MAX_VAR_OFF = 1 << 29;
const isHuge = (x: bigint | number): boolean => x >= MAX_VAR_OFF || x <= -MAX_VAR_OFF;

/** Whether a pointer of that type may have, or be moved by, what `reg` holds; prints why not. */
function isSaneOffset(env: VerifierEnv, reg: RegState, type: number): boolean {
  const name = regTypeStr(type);
  const value = BigInt.asIntN(64, reg.varOff.value);
  let message: string;
  if (tnumIsConst(reg.varOff) && isHuge(value)) {
    message = `math between ${name} pointer and ${value} is not allowed\n`;
  } else if (isHuge(reg.off)) {
    message = `${name} pointer offset ${reg.off} is not allowed\n`;
  } else if (reg.smin === S64_MIN) {
    message = `math between ${name} pointer and register with unbounded min value is not allowed\n`;
  } else if (isHuge(reg.smin)) {
    message = `value ${reg.smin} makes ${name} pointer be out of bounds\n`;
  } else {
    return true;
  }
  env.log.write(message);
  return false;
}

const MOVABLE: ReadonlySet<number> = new Set([
  REG.CTX,
  REG.MAP_VALUE,
  REG.MAP_KEY,
  REG.STACK,
  REG.PACKET_META,
  REG.PACKET,
  REG.TP_BUFFER,
  REG.BTF_ID,
  REG.MEM,
  REG.BUF,
  REG.FUNC,
  REG.CONST_DYNPTR,
]);

/** Flow keys take constants only; they and map pointers take an added zero. */
function isMovable(base: number, op: number, off: RegState): boolean {
  if (MOVABLE.has(base)) return true;
  if (base !== REG.FLOW_KEYS && base !== REG.CONST_MAP_PTR) return false;
  if (!tnumIsConst(off.varOff)) return false;
  return base === REG.FLOW_KEYS || (off.smin === 0n && op === ALU.ADD);
}

const refuse = (env: VerifierEnv, message: string): number => {
  env.log.write(message);
  return -ERRNO.EACCES;
};

/** What `off` was before `dst`, which may be the same register, is overwritten. */
interface Operands {
  known: boolean;
  smin: bigint;
  smax: bigint;
  umin: bigint;
  umax: bigint;
}

/** The offset is a constant: only the fixed part changes. */
function moveFixed(ptr: RegState, dst: RegState, by: number): void {
  if (dst !== ptr) {
    dst.smin = ptr.smin;
    dst.smax = ptr.smax;
    dst.umin = ptr.umin;
    dst.umax = ptr.umax;
    dst.varOff = ptr.varOff;
    dst.copyUnion(ptr);
  }
  dst.off = ptr.off + by;
}

const fitsS64 = (x: bigint): boolean => x >= S64_MIN && x <= S64_MAX;

/** Signed and unsigned bounds; none where they do not fit. */
function setBounds(dst: RegState, smin: bigint, smax: bigint, umin: bigint, umax: bigint): void {
  const signed = fitsS64(smin) && fitsS64(smax);
  dst.smin = signed ? smin : S64_MIN;
  dst.smax = signed ? smax : S64_MAX;
  const unsigned = umin >= 0n && umin <= U64_MAX && umax <= U64_MAX;
  dst.umin = unsigned ? umin : 0n;
  dst.umax = unsigned ? BigInt.asUintN(64, umax) : U64_MAX;
}

/** Packet pointers with another variable part know nothing of the packet's length, nor of their old companions. */
function startNewPacketBase(env: VerifierEnv, ptr: RegState, dst: RegState, keepRange: boolean): void {
  if (!isPktPointer(ptr)) return;
  dst.id = ++env.idGen;
  if (!keepRange) dst.clearUnion();
}

function addTo(env: VerifierEnv, ptr: RegState, off: RegState, dst: RegState, by: Operands): void {
  if (by.known) {
    moveFixed(ptr, dst, Number(by.smin));
    return;
  }
  const varOff = tnumAdd(ptr.varOff, off.varOff);
  setBounds(dst, ptr.smin + by.smin, ptr.smax + by.smax, ptr.umin + by.umin, ptr.umax + by.umax);
  dst.varOff = varOff;
  dst.off = ptr.off;
  if (dst !== ptr) dst.copyUnion(ptr);
  startNewPacketBase(env, ptr, dst, false);
}

/** Here `dst` is `ptr`. */
function subtractFrom(env: VerifierEnv, dst: RegState, off: RegState, by: Operands): void {
  if (by.known) {
    moveFixed(dst, dst, -Number(by.smin));
    return;
  }
  dst.varOff = tnumSub(dst.varOff, off.varOff);
  setBounds(dst, dst.smin - by.smax, dst.smax - by.smin, dst.umin - by.umax, dst.umax - by.umin);
  startNewPacketBase(env, dst, dst, by.smin >= 0n);
}

/**
 * `dst = ptr op off` where `dst` is one of the two operands. 0, -EACCES or -EINVAL with a message. The result has `ptr`'s
 * type.
 */
export function adjustPointer(env: VerifierEnv, insn: Insn, ptr: RegState, off: RegState): number {
  const dst = env.regs[insn.dst];
  const op = insnOp(insn.code);
  const by: Operands = {
    known: tnumIsConst(off.varOff),
    smin: off.smin,
    smax: off.smax,
    umin: off.umin,
    umax: off.umax,
  };
  if ((by.known && (by.smin !== by.smax || by.umin !== by.umax)) || by.smin > by.smax || by.umin > by.umax) {
    // Contradicting bounds come from dead branches.
    markRegUnknown(env, dst);
    return 0;
  }
  if (insnClass(insn.code) !== CLASS.ALU64) {
    if (op !== ALU.SUB || !env.allowPtrLeaks) {
      return refuse(env, `R${insn.dst} 32-bit pointer arithmetic prohibited\n`);
    }
    markRegUnknown(env, dst);
    return 0;
  }
  const { type } = ptr;
  const name = regTypeStr(type);
  if (mayBeNull(type)) {
    return refuse(env, `R${insn.dst} pointer arithmetic on ${name} prohibited, null-check it first\n`);
  }
  // Untrusted memory is read with probing loads: its offsets do not matter.
  if (baseType(type) === REG.MEM && (type & FLAG.UNTRUSTED) !== 0) return 0;
  if (!isMovable(baseType(type), op, off)) {
    return refuse(env, `R${insn.dst} pointer arithmetic on ${name} prohibited\n`);
  }

  dst.type = type;
  dst.id = ptr.id;
  if (!isSaneOffset(env, off, type) || !isSaneOffset(env, ptr, type)) return -ERRNO.EINVAL;
  // Pointers carry no 32-bit bounds.
  markReg32Unbounded(dst);

  const window = newSanitizeWindow();
  if (sanitizeNeeded(op)) {
    const reason = sanitizePtrAlu(env, insn, ptr, off, dst, window, false);
    if (reason < 0) return reportSanitation(env, insn, reason, off, dst);
  }
  switch (op) {
    case ALU.ADD:
      addTo(env, ptr, off, dst, by);
      break;
    case ALU.SUB:
      if (dst === off) return refuse(env, `R${insn.dst} tried to subtract pointer from scalar\n`);
      if (type === REG.STACK) return refuse(env, `R${insn.dst} subtraction from stack pointer prohibited\n`);
      subtractFrom(env, dst, off, by);
      break;
    case ALU.AND:
    case ALU.OR:
    case ALU.XOR:
      return refuse(env, `R${insn.dst} bitwise operator ${ALU_SIGN[op]} on pointer prohibited\n`);
    default:
      return refuse(env, `R${insn.dst} pointer arithmetic with ${ALU_SIGN[op]} operator prohibited\n`);
  }
  if (!isSaneOffset(env, dst, type)) return -ERRNO.EINVAL;
  regBoundsSync(dst);
  if (sanitizeCheckBounds(env, insn, dst) === -ERRNO.EACCES) return -ERRNO.EACCES;
  if (sanitizeNeeded(op)) {
    const reason = sanitizePtrAlu(env, insn, dst, off, dst, window, true);
    if (reason < 0) return reportSanitation(env, insn, reason, off, dst);
  }
  return 0;
}
