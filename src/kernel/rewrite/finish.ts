// What a load leaves behind.
import { LDIMM64 } from '../../isa/insn.ts';
import { PSEUDO } from '../../isa/opcode.ts';
import type { DirectTailCall, FinishedFunction } from '../program.ts';
import type { VerifierEnv } from '../verifier/env.ts';
import { subprogName } from '../verifier/subprogs.ts';
import { xlatedBytes } from './dump.ts';
import { compileSingle } from './functions.ts';
import { lineAddresses } from './line-addresses.ts';
import { rewriteState } from './state.ts';

const INSN_BYTES = 8;

/** Map addresses become plain constants. rule: convert_pseudo_ld_imm64, 6.18 */
function forgetMaps(env: VerifierEnv): void {
  for (const insn of env.insns) if (insn.code === LDIMM64 && insn.src !== PSEUDO.FUNC) insn.src = 0;
}

/** rule: bpf_prog_ksym_set_name, 6.18 */
function functionName(env: VerifierEnv, s: number): string {
  if (s < env.funcInfo.length) {
    const name = subprogName(env, s);
    if (name !== '') return name;
  }
  return s === 0 ? env.request.name : 'F';
}

/** Functions that have been compiled, the hidden one included. */
function finishedFunctions(env: VerifierEnv): FinishedFunction[] {
  const { jited, shapes, functionTags } = rewriteState(env);
  return jited.map((code, s) => ({
    name: functionName(env, s),
    tag: functionTags[s] ?? env.tag,
    address: code.address,
    jited: code.bytes,
    insnOffsets: code.insnOffsets,
    start: env.subprogs[s].start,
    shape: shapes[s],
  }));
}

/** Constant tail calls by function; the poke table's entries count from 0 here. */
function directTailCalls(env: VerifierEnv): DirectTailCall[] {
  const { jited, tailCalls } = rewriteState(env);
  return jited.flatMap((code, func) =>
    code.pokes.map((site) => ({ mapId: tailCalls[site.index].map.id, key: tailCalls[site.index].key, func, site })),
  );
}

/**
 * Compiles what is not compiled yet and fills env.program. 0 or a negative errno.
 * rule: end of bpf_check, bpf_prog_select_runtime, 6.18
 */
export function finishProgram(env: VerifierEnv): number {
  forgetMaps(env);
  for (const [s, info] of env.funcInfo.entries()) info.insnOff = env.subprogs[s].start;
  const state = rewriteState(env);
  if (state.jited.length === 0) {
    const err = compileSingle(env);
    if (err !== 0) return err;
  }
  const functions = finishedFunctions(env);
  const { image } = env;
  const bytes = image.sizeOf('bpf_prog') + Math.max(state.peakLength, env.insns.length) * INSN_BYTES;
  env.program = {
    insns: env.insns,
    xlated: xlatedBytes(env.insns, env.usedMaps),
    origins: env.aux.map((aux) => aux.origin),
    tag: env.tag,
    functions: functions.slice(0, functions.length - env.hiddenSubprogCnt),
    tailCalls: directTailCalls(env),
    funcInfo: env.funcInfo,
    lineInfo: env.lineInfo,
    jitedLineInfo: lineAddresses(
      env.lineInfo.map((line) => line.insnOff),
      functions.map(({ address, insnOffsets, shape }, f) => ({
        address,
        insnOffsets,
        length: shape.length,
        firstLine: env.subprogs[f].linfoIdx,
      })),
    ),
    memlock: Math.ceil(bytes / image.pageSize) * image.pageSize,
  };
  return 0;
}
