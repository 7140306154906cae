// Which pointers may be stored where a kptr stands. Rule: map_kptr_match_type, verifier.c, 6.18.
import type { Btf } from '../../btf/btf.ts';
import type { SpecialField } from '../objects.ts';
import { btfStructsMatch } from './btf-walk.ts';
import type { VerifierEnv } from './env.ts';
import { checkPtrOffset } from './mem-region.ts';
import { regTypeStr } from './reg-names.ts';
import { baseType, FLAG, REG, type RegState, typeFlags } from './types.ts';

function allowedFlags(field: SpecialField, isKernel: boolean): number {
  if (isKernel) {
    const flags = FLAG.MAYBE_NULL | FLAG.TRUSTED | FLAG.RCU;
    return field.kind === 'kptr_unref' ? flags | FLAG.UNTRUSTED : flags;
  }
  const flags = FLAG.MAYBE_NULL | FLAG.ALLOC;
  return field.kind === 'kptr_percpu' ? flags | FLAG.PERCPU : flags;
}

/** Does register `regno` fit the kptr? If not, the log says why. */
export function kptrMatchesReg(env: VerifierEnv, field: SpecialField, reg: RegState, regno: number): boolean {
  const kernel = env.image.btf();
  const fieldBtf = field.btf as Btf;
  const target = field.btfId ?? 0;
  const { btf } = reg;
  let regName = '';
  if (baseType(reg.type) === REG.BTF_ID && btf !== undefined) {
    if ((typeFlags(reg.type) & ~allowedFlags(field, btf === kernel)) === 0) {
      regName = btf.name(reg.btfId);
      if (checkPtrOffset(env, reg, regno, true) !== 0) return false;
      const strict = field.kind !== 'kptr_unref';
      if (btfStructsMatch(env.log, btf, reg.btfId, reg.off, fieldBtf, target, strict)) return true;
    }
  }
  const wanted = fieldBtf.name(target);
  env.log.append(`invalid kptr access, R${regno} type=${regTypeStr(reg.type)}${regName} `);
  env.log.append(`expected=${regTypeStr(REG.BTF_ID)}${wanted}`);
  const untrusted = regTypeStr(REG.BTF_ID | FLAG.UNTRUSTED);
  env.log.append(field.kind === 'kptr_unref' ? ` or ${untrusted}${wanted}\n` : '\n');
  return false;
}
