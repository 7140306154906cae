// Which register types fit which argument types. Rule: check_reg_type and its tables, verifier.c, 6.18.
import { BTF_KIND } from '../../btf/btf.ts';
import { ERRNO } from '../../errno.ts';
import { HELPER } from '../../isa/uapi.ts';
import { btfStructsMatch } from './btf-walk.ts';
import type { CallMeta } from './call-meta.ts';
import type { VerifierEnv } from './env.ts';
import { ARG, DYNPTR_FLAG_MASK } from './helper-proto.ts';
import { kptrMatchesReg } from './kptr.ts';
import { helperText } from './map-func.ts';
import { regTypeStr } from './reg-names.ts';
import { baseType, FLAG, mayBeNull, REG, type RegState } from './types.ts';
import { verifierBug } from './verifier-bug.ts';

const SOCK = [REG.SOCK_COMMON, REG.SOCKET, REG.TCP_SOCK, REG.XDP_SOCK];
const MEMORY: readonly number[] = [
  REG.STACK,
  REG.PACKET,
  REG.PACKET_META,
  REG.MAP_KEY,
  REG.MAP_VALUE,
  REG.MEM,
  REG.MEM | FLAG.RINGBUF,
  REG.BUF,
  REG.BTF_ID | FLAG.TRUSTED,
];
const SCALAR = [REG.SCALAR];
const VALUE_OR_OBJECT = [REG.MAP_VALUE, REG.BTF_ID | FLAG.ALLOC];

/** In the order in which messages list them. */
const FITTING: Readonly<Record<number, readonly number[]>> = {
  [ARG.MAP_KEY]: MEMORY,
  [ARG.MAP_VALUE]: MEMORY,
  [ARG.CONST_SIZE]: SCALAR,
  [ARG.CONST_SIZE_OR_ZERO]: SCALAR,
  [ARG.CONST_ALLOC_SIZE_OR_ZERO]: SCALAR,
  [ARG.CONST_MAP_PTR]: [REG.CONST_MAP_PTR],
  [ARG.CTX]: [REG.CTX],
  [ARG.SOCK_COMMON]: SOCK,
  [ARG.BTF_ID_SOCK_COMMON]: [...SOCK, REG.BTF_ID, REG.BTF_ID | FLAG.TRUSTED],
  [ARG.SOCKET]: [REG.SOCKET],
  [ARG.BTF_ID]: [REG.BTF_ID, REG.BTF_ID | FLAG.TRUSTED, REG.BTF_ID | FLAG.RCU],
  [ARG.SPIN_LOCK]: VALUE_OR_OBJECT,
  [ARG.MEM]: MEMORY,
  [ARG.RINGBUF_MEM]: [REG.MEM | FLAG.RINGBUF],
  [ARG.PERCPU_BTF_ID]: [
    REG.BTF_ID | FLAG.PERCPU,
    REG.BTF_ID | FLAG.PERCPU | FLAG.RCU,
    REG.BTF_ID | FLAG.PERCPU | FLAG.TRUSTED,
  ],
  [ARG.FUNC]: [REG.FUNC],
  [ARG.STACK]: [REG.STACK],
  [ARG.CONST_STR]: [REG.MAP_VALUE],
  [ARG.TIMER]: [REG.MAP_VALUE],
  [ARG.KPTR_XCHG_DEST]: VALUE_OR_OBJECT,
  [ARG.DYNPTR]: [REG.STACK, REG.CONST_DYNPTR],
};

/** BTF pointers whose struct is compared with the one that the helper wants. */
const STRUCT_POINTERS: ReadonlySet<number> = new Set([
  REG.BTF_ID,
  REG.BTF_ID | FLAG.TRUSTED,
  REG.BTF_ID | FLAG.TRUSTED | FLAG.MAYBE_NULL,
  REG.BTF_ID | FLAG.RCU,
  REG.BTF_ID | FLAG.MAYBE_NULL,
  REG.BTF_ID | FLAG.MAYBE_NULL | FLAG.RCU,
]);
const OBJECT_POINTERS: ReadonlySet<number> = new Set([REG.BTF_ID | FLAG.ALLOC, REG.BTF_ID | FLAG.PERCPU | FLAG.ALLOC]);
const PERCPU_POINTERS: ReadonlySet<number> = new Set([
  REG.BTF_ID | FLAG.PERCPU,
  REG.BTF_ID | FLAG.PERCPU | FLAG.RCU,
  REG.BTF_ID | FLAG.PERCPU | FLAG.TRUSTED,
]);

/** The register's type as far as it matters for the argument. */
function comparableType(reg: RegState, regno: number, argType: number, meta: CallMeta): number {
  let { type } = reg;
  if ((argType & FLAG.RDONLY) !== 0) type &= ~FLAG.RDONLY;
  if (mayBeNull(argType)) type &= ~FLAG.MAYBE_NULL;
  if (baseType(argType) === ARG.MEM) type &= ~DYNPTR_FLAG_MASK;
  // An object of the program may be exchanged for a kptr.
  if (meta.funcId === HELPER.kptr_xchg && (type & FLAG.ALLOC) !== 0 && regno === 2) {
    type &= ~(FLAG.ALLOC | FLAG.PERCPU);
  }
  return type;
}

function unexpected(env: VerifierEnv, regno: number, fitting: readonly number[]): number {
  const expected = fitting.map(regTypeStr).join(', ');
  env.log.append(`R${regno} type=${regTypeStr(env.regs[regno].type)} expected=${expected}\n`);
  return -ERRNO.EACCES;
}

/** Does the pointer lead to the struct that is wanted? */
function checkStruct(
  env: VerifierEnv,
  regno: number,
  argType: number,
  wanted: number | undefined,
  meta: CallMeta,
): number {
  const reg = env.regs[regno];
  const { log } = env;
  const releases = (argType & FLAG.RELEASE) !== 0;
  if (mayBeNull(reg.type) && (!mayBeNull(argType) || releases)) {
    log.write(`Possibly NULL pointer passed to helper arg${regno}\n`);
    return -ERRNO.EACCES;
  }
  if (meta.funcId === HELPER.kptr_xchg) {
    return meta.kptrField && kptrMatchesReg(env, meta.kptrField, reg, regno) ? 0 : -ERRNO.EACCES;
  }
  const kernel = env.image.btf();
  let id = wanted;
  if (id === undefined) {
    if (baseType(argType) !== ARG.BTF_ID_SOCK_COMMON) return verifierBug(env, 'missing arg compatible BTF ID');
    id = kernel.find('sock_common', BTF_KIND.STRUCT);
  }
  const { btf } = reg;
  if (btf === undefined) return verifierBug(env, 'missing arg compatible BTF ID');
  const strict = releases && meta.funcId !== HELPER.sk_release;
  if (btfStructsMatch(log, btf, reg.btfId, reg.off, kernel, id, strict)) return 0;
  log.write(`R${regno} is of type ${btf.name(reg.btfId)} but ${kernel.name(id)} is expected\n`);
  return -ERRNO.EACCES;
}

function checkObject(env: VerifierEnv, regno: number, meta: CallMeta): number {
  const { funcId } = meta;
  if (funcId === HELPER.spin_lock || funcId === HELPER.spin_unlock) return 0;
  if (funcId !== HELPER.kptr_xchg) return verifierBug(env, 'unimplemented handling of MEM_ALLOC');
  if (regno !== 2) return 0;
  const fits = meta.kptrField && kptrMatchesReg(env, meta.kptrField, env.regs[regno], regno);
  return fits ? 0 : -ERRNO.EACCES;
}

/** Register `regno` as an argument of that type; `wanted` is the id of the kernel struct that the prototype names. */
export function checkArgType(
  env: VerifierEnv,
  regno: number,
  argType: number,
  wanted: number | undefined,
  meta: CallMeta,
): number {
  const reg = env.regs[regno];
  const fitting = FITTING[baseType(argType)];
  if (fitting === undefined) return verifierBug(env, `unsupported arg type ${argType}`);
  if (!fitting.includes(comparableType(reg, regno, argType, meta))) return unexpected(env, regno, fitting);
  if (baseType(reg.type) !== REG.BTF_ID) return 0;
  if (fitting === MEMORY) {
    if ((argType & FLAG.RDONLY) !== 0) return 0;
    env.log.write(
      `${helperText(meta.funcId)}() may write into memory pointed by R${regno} type=${regTypeStr(reg.type)}\n`,
    );
    return -ERRNO.EACCES;
  }
  if (STRUCT_POINTERS.has(reg.type)) return checkStruct(env, regno, argType, wanted, meta);
  if (OBJECT_POINTERS.has(reg.type)) return checkObject(env, regno, meta);
  return PERCPU_POINTERS.has(reg.type) ? 0 : verifierBug(env, 'invalid PTR_TO_BTF_ID register for type match');
}
