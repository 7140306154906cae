// Stores to the stack. Rule: check_stack_write and its parts, verifier.c, 6.18.
import { ERRNO } from '../../errno.ts';
import type { Insn } from '../../isa/insn.ts';
import { CLASS, insnClass, insnMode, MODE } from '../../isa/opcode.ts';
import { destroyIfDynptrSlot } from './dynptr.ts';
import type { VerifierEnv } from './env.ts';
import { constOffset, frameOf, slotIndex } from './frames.ts';
import { pushInsnHistory, stackAccessFlags } from './history.ts';
import { markChainPrecision } from './precision.ts';
import { markStackSlotScratched, verboseLineInfo } from './print-state.ts';
import { assignScalarIdBeforeMov, markRegKnown, regIsNull, regWidth } from './scalar-marks.ts';
import { isSlotSpecial, isSpilledReg, isSpilledScalarReg, markSlotByteMisc, scrubSpilledByte } from './slots.ts';
import { markSlotWrite } from './stack-liveness.ts';
import { baseType, type FuncState, NO_REG, REG, type RegState, SLOT, type StackSlot } from './types.ts';

const SPILLABLE: ReadonlySet<number> = new Set([
  REG.MAP_VALUE,
  REG.STACK,
  REG.CTX,
  REG.PACKET,
  REG.PACKET_META,
  REG.PACKET_END,
  REG.FLOW_KEYS,
  REG.CONST_MAP_PTR,
  REG.SOCKET,
  REG.SOCK_COMMON,
  REG.TCP_SOCK,
  REG.XDP_SOCK,
  REG.BTF_ID,
  REG.BUF,
  REG.MEM,
  REG.FUNC,
  REG.MAP_KEY,
  REG.ARENA,
]);

const isSpillable = (reg: RegState): boolean => SPILLABLE.has(baseType(reg.type));

const isStoreImm = (insn: Insn): boolean => insnClass(insn.code) === CLASS.ST && insnMode(insn.code) === MODE.MEM;

/** Lowest offset that "no fastcall pattern here" is written as. */
const NO_FASTCALL = -0x8000;

/**
 * Fastcall patterns may drop their spills only if nothing else touches that part of the stack: an access from outside
 * ends them for the whole function.
 */
export function checkFastcallStack(env: VerifierEnv, frame: FuncState, insnIdx: number, off: number): void {
  const subprog = env.subprogs[frame.subprogno];
  if (subprog.fastcallStackOff <= off || env.aux[insnIdx].fastcallPattern) return;
  subprog.fastcallStackOff = NO_FASTCALL;
  const end = env.subprogEnd(frame.subprogno);
  for (let i = subprog.start; i < end; i++) {
    env.aux[i].fastcallSpillsNum = 0;
    env.aux[i].fastcallPattern = false;
  }
}

function saveRegister(slot: StackSlot, reg: RegState, size: number): void {
  slot.spilled.copy(reg);
  for (let i = 7; i >= 8 - size; i--) slot.types[i] = SLOT.SPILL;
  for (let i = 7 - size; i >= 0; i--) markSlotByteMisc(slot, i);
}

/** The slot loses its object; its bytes become anything. */
function scrubSpecialSlot(slot: StackSlot): void {
  slot.spilled.type = REG.NOT_INIT;
  if (isSlotSpecial(slot)) for (let i = 0; i < 8; i++) scrubSpilledByte(slot, i);
}

function needsNospec(slot: StackSlot, at: number, size: number, reg: RegState | undefined): boolean {
  if (reg && isSpillable(reg)) return true;
  for (let i = 0; i < size; i++) {
    const type = slot.types[(at - i) & 7];
    if (type !== SLOT.MISC && type !== SLOT.ZERO) return true;
  }
  return false;
}

function writeFixed(
  env: VerifierEnv,
  frame: FuncState,
  off: number,
  size: number,
  valueRegno: number,
  insnIdx: number,
): number {
  const at = -off - 1;
  const spi = Math.trunc(at / 8);
  const slot = frame.stack[spi];
  const insn = env.insns[insnIdx];
  const whole = off % 8 === 0;
  if (!env.allowPtrLeaks && isSpilledReg(slot) && !isSpilledScalarReg(slot) && size !== 8) {
    env.log.write('attempt to corrupt spilled pointer on stack\n');
    return -ERRNO.EACCES;
  }
  const reg = valueRegno >= 0 ? env.regs[valueRegno] : undefined;
  if (!env.bypassSpecV4 && needsNospec(slot, at, size, reg)) env.aux[insnIdx].nospecResult = true;
  const err = destroyIfDynptrSlot(env, frame, spi);
  if (err !== 0) return err;
  if (whole && size === 8) markSlotWrite(env, frame.frameno, spi);
  checkFastcallStack(env, frame, insnIdx, off);
  markStackSlotScratched(env, spi);

  if (reg && whole && reg.type === REG.SCALAR && env.bpfCapable) {
    const fits = regWidth(reg) <= 8 * size;
    // The slot and the register get the same id: what is learned of one holds for the other.
    if (fits) assignScalarIdBeforeMov(env, reg);
    saveRegister(slot, reg, size);
    if (!fits) slot.spilled.id = 0;
  } else if (!reg && whole && isStoreImm(insn) && env.bpfCapable) {
    const constant = env.fakeRegs[0];
    constant.copy(NO_REG);
    markRegKnown(constant, BigInt(insn.imm));
    constant.type = REG.SCALAR;
    saveRegister(slot, constant, size);
  } else if (reg && isSpillable(reg)) {
    if (size !== 8) {
      verboseLineInfo(env, insnIdx, '; ');
      env.log.write('invalid size of register spill\n');
      return -ERRNO.EACCES;
    }
    if (frame !== env.state.cur && reg.type === REG.STACK) {
      env.log.write('cannot spill pointers to stack into stack frame of the caller\n');
      return -ERRNO.EINVAL;
    }
    saveRegister(slot, reg, size);
  } else {
    return writeMisc(env, slot, at, size, reg, valueRegno, !reg && isStoreImm(insn) && insn.imm === 0);
  }
  return pushInsnHistory(env, env.state, stackAccessFlags(frame.frameno, spi));
}

/** A store that leaves nothing but bytes: zeros if the value is 0 for certain, else anything. */
function writeMisc(
  env: VerifierEnv,
  slot: StackSlot,
  at: number,
  size: number,
  reg: RegState | undefined,
  valueRegno: number,
  zeroImm: boolean,
): number {
  scrubSpecialSlot(slot);
  const zero = zeroImm || (reg !== undefined && regIsNull(reg));
  if (zero && valueRegno >= 0) {
    const err = markChainPrecision(env, valueRegno);
    if (err !== 0) return err;
  }
  for (let i = 0; i < size; i++) slot.types[(at - i) & 7] = zero ? SLOT.ZERO : SLOT.MISC;
  return 0;
}

function writeVariable(
  env: VerifierEnv,
  frame: FuncState,
  ptrRegno: number,
  off: number,
  size: number,
  valueRegno: number,
  insnIdx: number,
): number {
  const ptr = env.regs[ptrRegno];
  const least = Number(ptr.smin) + off;
  const end = Number(ptr.smax) + off + size;
  const insn = env.insns[insnIdx];
  const writesZero = valueRegno >= 0 ? regIsNull(env.regs[valueRegno]) : isStoreImm(insn) && insn.imm === 0;
  let zeroUsed = false;
  for (let i = least; i < end; i++) {
    const err = destroyIfDynptrSlot(env, frame, slotIndex(i));
    if (err !== 0) return err;
  }
  checkFastcallStack(env, frame, insnIdx, least);
  for (let i = least; i < end; i++) {
    const spi = slotIndex(i);
    const slot = frame.stack[spi];
    const byte = (-i - 1) & 7;
    const type = slot.types[byte];
    markStackSlotScratched(env, spi);
    if (!env.allowPtrLeaks && type !== SLOT.MISC && type !== SLOT.ZERO) {
      env.log.write(`spilled ptr in range of var-offset stack write; insn ${insnIdx}, ptr off: ${i}`);
      return -ERRNO.EINVAL;
    }
    if (writesZero && type === SLOT.SPILL && isSpilledScalarReg(slot)) {
      const { varOff } = slot.spilled;
      if (varOff.mask === 0n && varOff.value === 0n) {
        zeroUsed = true;
        continue;
      }
    }
    scrubSpecialSlot(slot);
    let left: number = SLOT.MISC;
    if (writesZero && slot.types[byte] === SLOT.ZERO) {
      left = SLOT.ZERO;
      zeroUsed = true;
    }
    if (slot.types[byte] === SLOT.INVALID && !env.allowUninitStack) {
      env.log.write(`uninit stack in range of var-offset write prohibited for !root; insn ${insnIdx}, off: ${i}`);
      return -ERRNO.EINVAL;
    }
    slot.types[byte] = left;
  }
  return zeroUsed && valueRegno >= 0 ? markChainPrecision(env, valueRegno) : 0;
}

/**
 * A store of `size` bytes through stack pointer `ptrRegno`, already found to be within bounds; `off` includes the
 * register's fixed offset, `valueRegno` is -1 for an immediate or an unknown value.
 */
export function checkStackWrite(
  env: VerifierEnv,
  ptrRegno: number,
  off: number,
  size: number,
  valueRegno: number,
  insnIdx: number,
): number {
  const ptr = env.regs[ptrRegno];
  const frame = frameOf(env, ptr);
  if (ptr.varOff.mask !== 0n) return writeVariable(env, frame, ptrRegno, off, size, valueRegno, insnIdx);
  return writeFixed(env, frame, off + constOffset(ptr) - ptr.off, size, valueRegno, insnIdx);
}
