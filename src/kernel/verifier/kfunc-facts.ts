// What is known of a kernel function before it is called: name, prototype, flags. Rule: fetch_kfunc_meta, verifier.c,
// 6.18.
import type { Btf } from '../../btf/btf.ts';
import type { Insn } from '../../isa/insn.ts';
import { KF, kfuncFlags } from '../kfuncs/index.ts';
import type { VerifierEnv } from './env.ts';
import { type SpecialKfunc, specialKfunc } from './special-kfuncs.ts';

export interface KfuncFacts {
  readonly name: string;
  readonly btf: Btf;
  readonly funcId: number;
  /** Type id of the FUNC_PROTO. */
  readonly proto: number;
  /** KF bits. */
  readonly flags: number;
  /** Its name, if the verifier knows it by that. */
  readonly special: SpecialKfunc | undefined;
  readonly params: number;
  readonly isVoid: boolean;
  readonly fastcall: boolean;
  readonly iterNext: boolean;
  readonly sleepable: boolean;
  readonly changesPacket: boolean;
}

/** What has been looked up for a program, and the type of the program then. */
interface Known {
  readonly type: number;
  readonly facts: Map<number, KfuncFacts | undefined>;
}

const cache = new WeakMap<VerifierEnv, Known>();

function look(env: VerifierEnv, funcId: number): KfuncFacts | undefined {
  const name = kfuncName(env, funcId);
  if (name === undefined) return undefined;
  const flags = kfuncFlags(env, name);
  if (flags === undefined) return undefined;
  const btf = env.image.btf();
  const proto = btf.type(funcId);
  const special = specialKfunc(env.image, funcId);
  return {
    name,
    btf,
    funcId,
    proto,
    flags,
    special,
    params: btf.vlen(proto),
    isVoid: btf.type(proto) === 0,
    fastcall: (flags & KF.FASTCALL) !== 0,
    iterNext: (flags & KF.ITER_NEXT) !== 0,
    sleepable: (flags & KF.SLEEPABLE) !== 0,
    changesPacket: special === 'bpf_xdp_pull_data',
  };
}

/** Name of the kernel function that a call's `imm` means; undefined if there is none of that id. */
export function kfuncName(env: VerifierEnv, funcId: number): string | undefined {
  return funcId > 0 && funcId < env.image.btf().count ? env.image.btf().name(funcId) : undefined;
}

/** Facts of the kernel function that `insn` calls; undefined: the program may not call it. */
export function kfuncFacts(env: VerifierEnv, insn: Insn): KfuncFacts | undefined {
  if (insn.imm === 0 || insn.off !== 0) return undefined;
  let known = cache.get(env);
  // A replacement gets the type of what it replaces when that has been found.
  if (known?.type !== env.progType) {
    known = { type: env.progType, facts: new Map() };
    cache.set(env, known);
  }
  if (known.facts.has(insn.imm)) return known.facts.get(insn.imm);
  const facts = look(env, insn.imm);
  known.facts.set(insn.imm, facts);
  return facts;
}
