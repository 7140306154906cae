// Loads and stores: what an access through a register of each kind may do, and what it leaves. Rule: check_mem_access
// and its callers, verifier.c, 6.18.
import { ERRNO } from '../../errno.ts';
import type { Insn } from '../../isa/insn.ts';
import { sizeBytes } from '../../isa/opcode.ts';
import { programType } from '../program-types/index.ts';
import { type Access, AccessInfo } from '../program-types/program-type.ts';
import { checkPtrAlignment } from './alignment.ts';
import { saveAuxPtrType } from './aux-ptr-type.ts';
import { coerceToSize, coerceToSizeSx, regBoundsSanityCheck } from './bounds.ts';
import { narrowToS32Range } from './bounds-sync.ts';
import { checkPtrToBtfAccess, checkPtrToMapAccess } from './btf-access.ts';
import {
  checkBufferAccess,
  checkCtxAccess,
  checkFlowKeysAccess,
  checkSockAccess,
  checkTpBufferAccess,
} from './ctx-access.ts';
import type { VerifierEnv } from './env.ts';
import { checkMapAccess, checkMapAccessType, checkMapKptrAccess, pointerFieldAt, readOnlyBytes } from './map-value.ts';
import { checkMemRegionAccess, checkPtrOffset } from './mem-region.ts';
import { checkPacketAccess, mayAccessDirectPktData } from './packet-access.ts';
import { isPointerValue } from './pointer-kinds.ts';
import { verboseLineInfo } from './print-state.ts';
import { checkRegArg, DEF_NOT_SUBREG } from './reg-access.ts';
import { regTypeStr } from './reg-names.ts';
import { markRegKnown, markRegUnknown } from './scalar-marks.ts';
import { checkStackAccessWithinBounds, checkStackRead, checkStackWrite } from './stack-access.ts';
import { baseType, FLAG, mayBeNull, REG, type RegState } from './types.ts';

/** One access on its way through the checks. */
interface Request {
  readonly insnIdx: number;
  readonly regno: number;
  /** Includes the register's fixed offset. */
  readonly off: number;
  readonly size: number;
  readonly access: Access;
  /** Register that is loaded or stored; -1: none, or an immediate. */
  readonly valueRegno: number;
  readonly isLdsx: boolean;
}

type Check = (env: VerifierEnv, request: Request, reg: RegState) => number;

const reads = (r: Request): boolean => r.access === 'read' && r.valueRegno >= 0;

function markUnknown(env: VerifierEnv, r: Request): void {
  markRegUnknown(env, env.regs[r.valueRegno]);
}

/** A pointer must not be stored where unprivileged eyes could see it. */
function leaks(env: VerifierEnv, r: Request, where: string): boolean {
  if (r.access !== 'write' || r.valueRegno < 0 || !isPointerValue(env, r.valueRegno)) return false;
  env.log.write(`R${r.valueRegno} leaks addr into ${where}\n`);
  return true;
}

function cannotWrite(env: VerifierEnv, r: Request, reg: RegState): number {
  env.log.write(`R${r.regno} cannot write into ${regTypeStr(reg.type)}\n`);
  return -ERRNO.EACCES;
}

function invalidAccess(env: VerifierEnv, r: Request, reg: RegState): number {
  env.log.write(`R${r.regno} invalid mem access '${regTypeStr(reg.type)}'\n`);
  return -ERRNO.EACCES;
}

const mapKey: Check = (env, r, reg) => {
  if (r.access === 'write') {
    env.log.write(`write to change key R${r.regno} not allowed\n`);
    return -ERRNO.EACCES;
  }
  const err = checkMemRegionAccess(env, r.regno, r.off, r.size, reg.map?.keySize ?? 0, false);
  if (err === 0 && r.valueRegno >= 0) markUnknown(env, r);
  return err;
};

/** Little-endian number of 1 to 8 bytes. */
function numberOf(bytes: Uint8Array, signed: boolean): bigint {
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]);
  return signed ? BigInt.asIntN(bytes.length * 8, value) : value;
}

const mapValue: Check = (env, r, reg) => {
  if (leaks(env, r, 'map')) return -ERRNO.EACCES;
  let err = checkMapAccessType(env, r.regno, r.off, r.size, r.access);
  if (err === 0) err = checkMapAccess(env, r.regno, r.off, r.size, false, 'direct');
  if (err !== 0) return err;
  const pointer = pointerFieldAt(reg, r.off);
  if (pointer) return checkMapKptrAccess(env, r.valueRegno, r.insnIdx, pointer);
  if (!reads(r)) return 0;
  if (reg.varOff.mask === 0n && reg.map) {
    const at = r.off + Number(BigInt.asIntN(64, reg.varOff.value));
    const bytes = readOnlyBytes(reg.map, at, r.size);
    if (typeof bytes === 'number') return bytes;
    if (bytes !== undefined) {
      const dst = env.regs[r.valueRegno];
      dst.type = REG.SCALAR;
      markRegKnown(dst, numberOf(bytes, r.isLdsx));
      return 0;
    }
  }
  markUnknown(env, r);
  return 0;
};

const memory: Check = (env, r, reg) => {
  const rdonly = (reg.type & FLAG.RDONLY) !== 0;
  if (mayBeNull(reg.type)) return invalidAccess(env, r, reg);
  if (r.access === 'write' && rdonly) return cannotWrite(env, r, reg);
  if (leaks(env, r, 'mem')) return -ERRNO.EACCES;
  // Memory of unknown extent is read with a fault handler.
  const untrusted = rdonly && (reg.type & FLAG.UNTRUSTED) !== 0;
  const err = untrusted ? 0 : checkMemRegionAccess(env, r.regno, r.off, r.size, reg.memSize, false);
  if (err === 0 && r.valueRegno >= 0 && (r.access === 'read' || rdonly)) markUnknown(env, r);
  return err;
};

const context: Check = (env, r, reg) => {
  if (leaks(env, r, 'ctx')) return -ERRNO.EACCES;
  let err = checkPtrOffset(env, reg, r.regno);
  if (err !== 0) return err;
  const info = new AccessInfo(r.isLdsx);
  err = checkCtxAccess(env, r.insnIdx, r.off, r.size, r.access, info);
  if (err !== 0) {
    verboseLineInfo(env, r.insnIdx, '; ');
    return err;
  }
  if (!reads(r)) return 0;
  const dst = env.regs[r.valueRegno];
  if (info.regType === REG.SCALAR) {
    markRegUnknown(env, dst);
    const range = info.isRetval ? programType(env.progType).returnRange?.(env) : undefined;
    if (range !== undefined) err = narrowToS32Range(env, dst, range.min, range.max);
    if (err !== 0) return err;
  } else {
    markRegKnown(dst, 0n);
    if (mayBeNull(info.regType)) dst.id = ++env.idGen;
    dst.subregDef = DEF_NOT_SUBREG;
    if (baseType(info.regType) === REG.BTF_ID) {
      dst.btf = info.btf;
      dst.btfId = info.btfId;
      dst.refObjId = info.refObjId;
    }
  }
  dst.type = info.regType;
  return 0;
};

const stack: Check = (env, r) => {
  const err = checkStackAccessWithinBounds(env, r.regno, r.off, r.size, r.access);
  if (err !== 0) return err;
  return r.access === 'read'
    ? checkStackRead(env, r.regno, r.off, r.size, r.valueRegno)
    : checkStackWrite(env, r.regno, r.off, r.size, r.valueRegno, r.insnIdx);
};

const packet: Check = (env, r) => {
  if (r.access === 'write' && !mayAccessDirectPktData(env, undefined, r.access)) {
    env.log.write('cannot write into packet\n');
    return -ERRNO.EACCES;
  }
  if (leaks(env, r, 'packet')) return -ERRNO.EACCES;
  const err = checkPacketAccess(env, r.regno, r.off, r.size, false);
  if (err === 0 && reads(r)) markUnknown(env, r);
  return err;
};

const flowKeys: Check = (env, r) => {
  if (leaks(env, r, 'flow keys')) return -ERRNO.EACCES;
  const err = checkFlowKeysAccess(env, r.off, r.size);
  if (err === 0 && reads(r)) markUnknown(env, r);
  return err;
};

const socket: Check = (env, r, reg) => {
  if (r.access === 'write') return cannotWrite(env, r, reg);
  const err = checkSockAccess(env, r.insnIdx, r.regno, r.off, r.size, r.access);
  if (err === 0 && r.valueRegno >= 0) markUnknown(env, r);
  return err;
};

const tpBuffer: Check = (env, r, reg) => {
  const err = checkTpBufferAccess(env, reg, r.regno, r.off, r.size);
  if (err === 0 && reads(r)) markUnknown(env, r);
  return err;
};

const btfPointer: Check = (env, r, reg) =>
  mayBeNull(reg.type)
    ? invalidAccess(env, r, reg)
    : checkPtrToBtfAccess(env, r.regno, r.off, r.size, r.access, r.valueRegno);

const mapPointer: Check = (env, r) => checkPtrToMapAccess(env, r.regno, r.off, r.size, r.access, r.valueRegno);

const buffer: Check = (env, r, reg) => {
  if (mayBeNull(reg.type)) return invalidAccess(env, r, reg);
  const rdonly = (reg.type & FLAG.RDONLY) !== 0;
  if (rdonly && r.access === 'write') return cannotWrite(env, r, reg);
  const err = checkBufferAccess(env, reg, r.regno, r.off, r.size);
  if (err === 0 && r.valueRegno >= 0 && (rdonly || r.access === 'read')) markUnknown(env, r);
  return err;
};

const arena: Check = (env, r) => {
  if (reads(r)) markUnknown(env, r);
  return 0;
};

/** Kinds that allow no modifier, and kinds that do. */
const EXACT: Readonly<Record<number, Check>> = {
  [REG.MAP_KEY]: mapKey,
  [REG.MAP_VALUE]: mapValue,
  [REG.CTX]: context,
  [REG.STACK]: stack,
  [REG.PACKET]: packet,
  [REG.PACKET_META]: packet,
  [REG.FLOW_KEYS]: flowKeys,
  [REG.SOCKET]: socket,
  [REG.SOCK_COMMON]: socket,
  [REG.TCP_SOCK]: socket,
  [REG.XDP_SOCK]: socket,
  [REG.TP_BUFFER]: tpBuffer,
  [REG.CONST_MAP_PTR]: mapPointer,
  [REG.ARENA]: arena,
};
const WITH_FLAGS: Readonly<Record<number, Check>> = {
  [REG.MEM]: memory,
  [REG.BTF_ID]: btfPointer,
  [REG.BUF]: buffer,
};

/**
 * Checks an access of `size` bytes at `off` from register `regno`, made by instruction `insnIdx` or on its behalf.
 * A read fills register `valueRegno` (-1: none); a write stores it (-1: an immediate, or anything). 0 or a negative
 * errno with a message.
 */
export function checkMemAccess(
  env: VerifierEnv,
  insnIdx: number,
  regno: number,
  off: number,
  size: number,
  access: Access,
  valueRegno: number,
  strictOnce: boolean,
  isLdsx: boolean,
): number {
  const reg = env.regs[regno];
  const misaligned = checkPtrAlignment(env, reg, off, size, strictOnce);
  if (misaligned !== 0) return misaligned;
  const check = EXACT[reg.type] ?? WITH_FLAGS[baseType(reg.type)] ?? invalidAccess;
  const request = { insnIdx, regno, off: off + reg.off, size, access, valueRegno, isLdsx };
  const err = check(env, request, reg);
  if (err === 0 && size < 8 && reads(request)) {
    const dst = env.regs[valueRegno];
    if (dst.type === REG.SCALAR) {
      if (isLdsx) coerceToSizeSx(dst, size);
      else coerceToSize(dst, size);
    }
  }
  return err;
}

/** LDX; `ctx` names the operation in case its result contradicts itself. */
export function checkLoadMem(
  env: VerifierEnv,
  insn: Insn,
  strictOnce: boolean,
  isLdsx: boolean,
  allowTrustMismatch: boolean,
  ctx: string,
): number {
  let err = checkRegArg(env, insn.src, 'src') || checkRegArg(env, insn.dst, 'dst-no-mark');
  if (err !== 0) return err;
  const srcType = env.regs[insn.src].type;
  const size = sizeBytes(insn.code);
  err = checkMemAccess(env, env.insnIdx, insn.src, insn.off, size, 'read', insn.dst, strictOnce, isLdsx);
  err ||= saveAuxPtrType(env, srcType, allowTrustMismatch);
  return err || regBoundsSanityCheck(env, env.regs[insn.dst], ctx);
}

/** STX of a register. */
export function checkStoreReg(env: VerifierEnv, insn: Insn, strictOnce: boolean): number {
  const err = checkRegArg(env, insn.src, 'src') || checkRegArg(env, insn.dst, 'src');
  if (err !== 0) return err;
  const dstType = env.regs[insn.dst].type;
  const size = sizeBytes(insn.code);
  return (
    checkMemAccess(env, env.insnIdx, insn.dst, insn.off, size, 'write', insn.src, strictOnce, false) ||
    saveAuxPtrType(env, dstType, false)
  );
}

/** ST of an immediate. */
export function checkStoreImm(env: VerifierEnv, insn: Insn): number {
  const err = checkRegArg(env, insn.dst, 'src');
  if (err !== 0) return err;
  const dstType = env.regs[insn.dst].type;
  const size = sizeBytes(insn.code);
  return (
    checkMemAccess(env, env.insnIdx, insn.dst, insn.off, size, 'write', -1, false, false) ||
    saveAuxPtrType(env, dstType, false)
  );
}
