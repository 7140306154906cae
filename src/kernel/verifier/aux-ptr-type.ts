// One load or store must see the same kind of pointer on every path, since it is rewritten once. Rule:
// save_aux_ptr_type, verifier.c, 6.18.
import { ERRNO } from '../../errno.ts';
import type { VerifierEnv } from './env.ts';
import { baseType, FLAG, REG } from './types.ts';

/** Types whose accesses are rewritten, each in its own way. */
const REWRITTEN: ReadonlySet<number> = new Set([
  REG.CTX,
  REG.SOCKET,
  REG.SOCK_COMMON,
  REG.TCP_SOCK,
  REG.XDP_SOCK,
  REG.BTF_ID,
  REG.ARENA,
]);

const differ = (a: number, b: number): boolean => a !== b && (REWRITTEN.has(baseType(a)) || REWRITTEN.has(baseType(b)));

const isMemOrBtf = (type: number): boolean => baseType(type) === REG.MEM || baseType(type) === REG.BTF_ID;

/**
 * Records the pointer type that the current instruction uses. With `allowTrustMismatch` pointers to memory and to
 * kernel structs may meet: the access is then one that may fault.
 */
export function saveAuxPtrType(env: VerifierEnv, type: number, allowTrustMismatch: boolean): number {
  const aux = env.aux[env.insnIdx];
  const previous = aux.ptrType;
  if (previous === REG.NOT_INIT) {
    aux.ptrType = type;
    return 0;
  }
  if (!differ(type, previous)) return 0;
  if (!allowTrustMismatch || !isMemOrBtf(type) || !isMemOrBtf(previous)) {
    env.log.write('same insn cannot be used with different pointers\n');
    return -ERRNO.EINVAL;
  }
  const memory = baseType(type) === REG.MEM || baseType(previous) === REG.MEM;
  aux.ptrType = (memory ? REG.MEM : REG.BTF_ID) | ((type | previous) & (FLAG.UNTRUSTED | FLAG.RDONLY));
  return 0;
}
