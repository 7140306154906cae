// Atomic operations. Rule: check_atomic and its parts, verifier.c, 6.18.
import { ERRNO } from '../../errno.ts';
import type { Insn } from '../../isa/insn.ts';
import { ATOMIC, insnSize, SIZE, sizeBytes } from '../../isa/opcode.ts';
import { saveAuxPtrType } from './aux-ptr-type.ts';
import type { VerifierEnv } from './env.ts';
import { checkLoadMem, checkMemAccess, checkStoreReg } from './mem-access.ts';
import { isPktPointer, isPointerValue } from './pointer-kinds.ts';
import { checkRegArg } from './reg-access.ts';
import { regTypeStr } from './reg-names.ts';
import { REG } from './types.ts';

const READ_MODIFY_WRITE: ReadonlySet<number> = new Set([
  ATOMIC.ADD,
  ATOMIC.ADD | ATOMIC.FETCH,
  ATOMIC.AND,
  ATOMIC.AND | ATOMIC.FETCH,
  ATOMIC.OR,
  ATOMIC.OR | ATOMIC.FETCH,
  ATOMIC.XOR,
  ATOMIC.XOR | ATOMIC.FETCH,
  ATOMIC.XCHG,
  ATOMIC.CMPXCHG,
]);

/** Pointers whose accesses are rewritten; packets are not shared. Arenas are allowed, since the compiler can do them. */
const NOT_ATOMIC: ReadonlySet<number> = new Set([
  REG.CTX,
  REG.FLOW_KEYS,
  REG.SOCKET,
  REG.SOCK_COMMON,
  REG.TCP_SOCK,
  REG.XDP_SOCK,
]);

/** Refuses pointers that cannot be used; `what` is "stores into" or "loads from". */
function checkPointer(env: VerifierEnv, regno: number, what: string): number {
  const reg = env.regs[regno];
  if (!NOT_ATOMIC.has(reg.type) && !isPktPointer(reg)) return 0;
  env.log.write(`BPF_ATOMIC ${what} R${regno} ${regTypeStr(reg.type)} is not allowed\n`);
  return -ERRNO.EACCES;
}

function leaksIntoMem(env: VerifierEnv, regno: number): boolean {
  if (!isPointerValue(env, regno)) return false;
  env.log.write(`R${regno} leaks addr into mem\n`);
  return true;
}

function checkReadModifyWrite(env: VerifierEnv, insn: Insn): number {
  const { dst, src, off, imm, code } = insn;
  if (insnSize(code) !== SIZE.W && insnSize(code) !== SIZE.DW) {
    env.log.write('invalid atomic operand size\n');
    return -ERRNO.EINVAL;
  }
  let err = checkRegArg(env, src, 'src') || checkRegArg(env, dst, 'src');
  if (err !== 0) return err;
  if (imm === ATOMIC.CMPXCHG) {
    err = checkRegArg(env, 0, 'src');
    if (err !== 0) return err;
    if (leaksIntoMem(env, 0)) return -ERRNO.EACCES;
  }
  if (leaksIntoMem(env, src)) return -ERRNO.EACCES;
  err = checkPointer(env, dst, 'stores into');
  if (err !== 0) return err;
  let loaded = -1;
  if ((imm & ATOMIC.FETCH) !== 0) {
    loaded = imm === ATOMIC.CMPXCHG ? 0 : src;
    err = checkRegArg(env, loaded, 'dst');
    if (err !== 0) return err;
  }
  const size = sizeBytes(code);
  // First without a register, so that pointers in the memory are noticed; then what the register gets.
  err = checkMemAccess(env, env.insnIdx, dst, off, size, 'read', -1, true, false);
  if (err === 0 && loaded >= 0) err = checkMemAccess(env, env.insnIdx, dst, off, size, 'read', loaded, true, false);
  if (err !== 0) return err;
  if (env.regs[dst].type === REG.ARENA) {
    err = saveAuxPtrType(env, REG.ARENA, false);
    if (err !== 0) return err;
  }
  return checkMemAccess(env, env.insnIdx, dst, off, size, 'write', -1, true, false);
}

/** STX with mode ATOMIC. */
export function checkAtomic(env: VerifierEnv, insn: Insn): number {
  if (READ_MODIFY_WRITE.has(insn.imm)) return checkReadModifyWrite(env, insn);
  switch (insn.imm) {
    case ATOMIC.LOAD_ACQ:
      return checkLoadMem(env, insn, true, false, false, 'atomic_load') || checkPointer(env, insn.src, 'loads from');
    case ATOMIC.STORE_REL:
      return checkStoreReg(env, insn, true) || checkPointer(env, insn.dst, 'stores into');
    default:
      env.log.write(`BPF_ATOMIC uses invalid atomic opcode ${(insn.imm >>> 0).toString(16).padStart(2, '0')}\n`);
      return -ERRNO.EINVAL;
  }
}
