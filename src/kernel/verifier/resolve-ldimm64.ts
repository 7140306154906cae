// One pass over the instructions before their order matters: opcodes that exist, 64-bit immediates in two slots, and
// what those stand for. Rule: resolve_pseudo_ldimm64, verifier.c, 6.18.
import { ERRNO } from '../../errno.ts';
import type { Insn } from '../../isa/insn.ts';
import { CLASS, insnClass, insnMode, MODE, PSEUDO } from '../../isa/opcode.ts';
import { MAP_TYPE } from '../../isa/uapi.ts';
import type { KMap } from '../objects.ts';
import type { VerifierEnv } from './env.ts';
import { isLdimm64 } from './insn-kinds.ts';
import { isKnownOpcode } from './opcodes.ts';
import { resolvePseudoBtfId } from './pseudo-btf-id.ts';
import { programTag } from './tag.ts';
import { REG } from './types.ts';
import { addUsedMapFd } from './used-objects.ts';

/** Offsets into a value stay below this. */
const MAX_VALUE_OFF = 1 << 29;

const isPlainSecondHalf = (insn: Insn | undefined): boolean =>
  insn !== undefined && insn.code === 0 && insn.dst === 0 && insn.src === 0 && insn.off === 0;

/** Address of the value at `off` of a map that lets programs use its memory, or a negative errno. */
function directValueAddress(env: VerifierEnv, map: KMap, off: number): bigint | number {
  const { log } = env;
  if (off >= MAX_VALUE_OFF) {
    log.write(`direct value offset of ${off} is not allowed\n`);
    return -ERRNO.EINVAL;
  }
  const arena = map.type === MAP_TYPE.arena;
  if (!arena && map.type !== MAP_TYPE.array) {
    log.write('no direct value access support for this map type\n');
    return -ERRNO.EINVAL;
  }
  let err = 0;
  if (arena) err = off > map.maxEntries * env.image.pageSize ? ERRNO.ERANGE : 0;
  else if (map.maxEntries !== 1) err = ERRNO.ENOTSUPP;
  else if (off >= map.valueSize) err = ERRNO.EINVAL;
  if (err !== 0) {
    log.write(`invalid access to map value pointer, value_size=${map.valueSize} off=${off}\n`);
    return -err;
  }
  return (arena ? map.mapExtra : (map.valueAddress ?? 0n)) + BigInt(off);
}

/** Descriptor that a map immediate names, or undefined with an errno in `bad`. */
function mapFd(env: VerifierEnv, insn: Insn): { fd: number } | { bad: number } {
  if (insn.src !== PSEUDO.MAP_IDX && insn.src !== PSEUDO.MAP_IDX_VALUE) return { fd: insn.imm };
  const { fdArray } = env.request;
  if (fdArray === undefined) {
    env.log.write('fd_idx without fd_array is invalid\n');
    return { bad: -ERRNO.EPROTO };
  }
  return insn.imm >= 0 && insn.imm < fdArray.length ? { fd: fdArray[insn.imm] } : { bad: -ERRNO.EFAULT };
}

function resolveMap(env: VerifierEnv, i: number): number {
  const insn = env.insns[i];
  const second = env.insns[i + 1];
  const byValue = insn.src === PSEUDO.MAP_VALUE || insn.src === PSEUDO.MAP_IDX_VALUE;
  const byMap = insn.src === PSEUDO.MAP_FD || insn.src === PSEUDO.MAP_IDX;
  if (!byValue && !(byMap && second.imm === 0)) {
    env.log.write('unrecognized bpf_ld_imm64 insn\n');
    return -ERRNO.EINVAL;
  }
  const named = mapFd(env, insn);
  if ('bad' in named) return named.bad;
  const index = addUsedMapFd(env, named.fd);
  if (index < 0) return index;
  const map = env.usedMaps[index];
  const aux = env.aux[i];
  aux.mapIndex = index;
  let address: bigint | number = map.address;
  if (byValue) {
    const off = second.imm >>> 0;
    address = directValueAddress(env, map, off);
    if (typeof address === 'number') return address;
    aux.mapOff = off;
  }
  insn.imm = Number(BigInt.asIntN(32, address));
  second.imm = Number(BigInt.asIntN(32, address >> 32n));
  return 0;
}

function resolveAt(env: VerifierEnv, i: number): number {
  const insn = env.insns[i];
  if (!isPlainSecondHalf(env.insns[i + 1])) {
    env.log.write('invalid bpf_ld_imm64 insn\n');
    return -ERRNO.EINVAL;
  }
  switch (insn.src) {
    case 0:
      return 0;
    case PSEUDO.BTF_ID:
      return resolvePseudoBtfId(env, i);
    case PSEUDO.FUNC:
      env.aux[i].ptrType = REG.FUNC;
      return 0;
    default:
      return resolveMap(env, i);
  }
}

/** Sets the program's tag, then resolves all immediates in place. 0 or a negative errno. */
export function resolvePseudoLdimm64(env: VerifierEnv): number {
  const { insns, log } = env;
  env.tag = programTag(insns);
  for (let i = 0; i < insns.length; i++) {
    const insn = insns[i];
    const { code } = insn;
    const mode = insnMode(code);
    if (insnClass(code) === CLASS.LDX && ((mode !== MODE.MEM && mode !== MODE.MEMSX) || insn.imm !== 0)) {
      log.write('BPF_LDX uses reserved fields\n');
      return -ERRNO.EINVAL;
    }
    if (isLdimm64(insn)) {
      const err = resolveAt(env, i);
      if (err !== 0) return err;
      i++;
      continue;
    }
    if (!isKnownOpcode(code)) {
      log.write(`unknown opcode ${code.toString(16).padStart(2, '0')}\n`);
      return -ERRNO.EINVAL;
    }
  }
  return 0;
}
