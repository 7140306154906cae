// 64-bit immediate loads: numbers, maps, map values, kernel variables, functions. Rule: check_ld_imm, verifier.c, 6.18.
import { LINKAGE } from '../../btf/kinds.ts';
import { ERRNO } from '../../errno.ts';
import { type Insn, imm64 } from '../../isa/insn.ts';
import { insnSize, PSEUDO, SIZE } from '../../isa/opcode.ts';
import { MAP_TYPE } from '../../isa/uapi.ts';
import type { VerifierEnv } from './env.ts';
import { checkRegArg } from './reg-access.ts';
import { markRegKnown, markRegUnknown } from './scalar-marks.ts';
import { findSubprog } from './subprogs.ts';
import { baseType, REG, type RegState } from './types.ts';
import { verifierBug } from './verifier-bug.ts';

function loadKernelVariable(env: VerifierEnv, dst: RegState): number {
  const variable = env.aux[env.insnIdx].btfVar;
  dst.type = variable?.regType ?? REG.NOT_INIT;
  switch (baseType(dst.type)) {
    case REG.MEM:
      dst.memSize = variable?.memSize ?? 0;
      return 0;
    case REG.BTF_ID:
      dst.btf = variable?.btf;
      dst.btfId = variable?.btfId ?? 0;
      return 0;
    default:
      return verifierBug(env, 'pseudo btf id: unexpected dst reg type');
  }
}

function loadFunction(env: VerifierEnv, dst: RegState, insn: Insn): number {
  const subprog = findSubprog(env, env.insnIdx + insn.imm + 1);
  if (!env.hasFuncInfo) {
    env.log.write('missing btf func_info\n');
    return -ERRNO.EINVAL;
  }
  const record = env.funcInfo[subprog];
  if (record === undefined || env.progBtf?.linkage(record.typeId) !== LINKAGE.STATIC) {
    env.log.write('callback function not static\n');
    return -ERRNO.EINVAL;
  }
  dst.type = REG.FUNC;
  dst.subprogno = subprog;
  return 0;
}

/** LD with mode IMM, at env.insnIdx. */
export function checkLdImm(env: VerifierEnv, insn: Insn): number {
  if (insnSize(insn.code) !== SIZE.DW) {
    env.log.write('invalid BPF_LD_IMM insn\n');
    return -ERRNO.EINVAL;
  }
  if (insn.off !== 0) {
    env.log.write('BPF_LD_IMM64 uses reserved fields\n');
    return -ERRNO.EINVAL;
  }
  const err = checkRegArg(env, insn.dst, 'dst');
  if (err !== 0) return err;
  const dst = env.regs[insn.dst];
  if (insn.src === 0) {
    dst.type = REG.SCALAR;
    markRegKnown(dst, imm64(env.insns, env.insnIdx));
    return 0;
  }
  markRegKnown(dst, 0n);
  if (insn.src === PSEUDO.BTF_ID) return loadKernelVariable(env, dst);
  if (insn.src === PSEUDO.FUNC) return loadFunction(env, dst, insn);

  const aux = env.aux[env.insnIdx];
  const map = env.usedMaps[aux.mapIndex];
  dst.map = map;
  switch (insn.src) {
    case PSEUDO.MAP_VALUE:
    case PSEUDO.MAP_IDX_VALUE:
      if (map.type === MAP_TYPE.arena) {
        markRegUnknown(env, dst);
        return 0;
      }
      dst.type = REG.MAP_VALUE;
      dst.off = aux.mapOff;
      return 0;
    case PSEUDO.MAP_FD:
    case PSEUDO.MAP_IDX:
      dst.type = REG.CONST_MAP_PTR;
      return 0;
    default:
      return verifierBug(env, 'unexpected src reg value for ldimm64');
  }
}
