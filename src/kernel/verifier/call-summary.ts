// What a call to the kernel reads and overwrites, as far as its prototype says. Rule: get_call_summary, verifier.c, 6.18.
import type { Insn } from '../../isa/insn.ts';
import { HELPER } from '../../isa/uapi.ts';
import { helperProto } from '../program-types/helper-lookup.ts';
import type { VerifierEnv } from './env.ts';
import { ARG, RET } from './helper-proto.ts';
import { isHelperCall, isKfuncCall } from './insn-kinds.ts';
import { kfuncFacts } from './kfunc-facts.ts';

export interface CallSummary {
  params: number;
  isVoid: boolean;
  /** The call really keeps the registers that its prototype does not name. */
  fastcall: boolean;
}

/** Helpers that are replaced by instructions, so that a fastcall promise is kept. */
const INLINED: ReadonlySet<number> = new Set([HELPER.get_smp_processor_id]);

/** Undefined: not a call to the kernel, or one that will be refused later. */
export function callSummary(env: VerifierEnv, insn: Insn): CallSummary | undefined {
  if (isHelperCall(insn)) {
    const proto = helperProto(env, insn.imm);
    if (proto === undefined) return undefined;
    const end = proto.args.findIndex((arg) => arg.type === ARG.DONTCARE);
    return {
      params: end < 0 ? proto.args.length : end,
      isVoid: proto.ret.type === RET.VOID,
      fastcall: proto.fastcall === true && INLINED.has(insn.imm),
    };
  }
  if (!isKfuncCall(insn)) return undefined;
  const facts = kfuncFacts(env, insn);
  return facts && { params: facts.params, isVoid: facts.isVoid, fastcall: facts.fastcall };
}

/** Bits `low` to `high`; none where `high` is below. */
export const bitRange = (high: number, low: number): number => (high < low ? 0 : (2 << high) - (1 << low));
