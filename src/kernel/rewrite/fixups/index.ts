// The last changes to single instructions: what neither a JIT nor a processor should have to care about.
import type { Insn } from '../../../isa/insn.ts';
import { ALU, CALL_KIND, CLASS, insnClass, insnOp, insnSrc, SIZE, SRC } from '../../../isa/opcode.ts';
import { HELPER, HELPERS, type HelperName, MAP_TYPES } from '../../../isa/uapi.ts';
import { helperProto } from '../../program-types/helper-lookup.ts';
import type { VerifierEnv } from '../../verifier/env.ts';
import { CALL, isMayGoto } from '../../verifier/insn-kinds.ts';
import { InsnAux, SubprogInfo } from '../../verifier/types.ts';
import { verifierBug } from '../../verifier/verifier-bug.ts';
import { callDistance, PROG_AUX_ADDRESS } from '../address.ts';
import { exit, load, loadImm64, movImm, movReg } from '../build.ts';
import { Expansion, relativeField } from '../expand.ts';
import { guardDivision } from './divide.ts';
import { inlineHelper } from './inline.ts';
import { fixKfuncCall } from './kfunc.ts';
import { expandPacketLoad } from './ld-abs.ts';
import { LOOKUP } from './map-lookup.ts';
import { MAP_OPS, type MapOp } from './map-ops.ts';
import { expandMayGoto, initialiseMayGoto, MAY_GOTO_STACK } from './may-goto.ts';
import { maskPointerArithmetic } from './speculation.ts';
import { fixTailCall } from './tail-call.ts';

/** Allocation flags that the storage helpers take in r5. */
const GFP_ATOMIC = 2080;
const GFP_KERNEL = 3264;

/** `imm` of a cast from the program's addresses to the kernel's. */
const CAST_TO_KERNEL = 1;
/** BPF_ADDR_SPACE_CAST */
const ADDRESS_CAST = 1;
/** BPF_F_NO_USER_CONV */
const NO_USER_CONVERSION = 1 << 18;

const STORAGE_GET: ReadonlySet<HelperName> = new Set([
  'sk_storage_get',
  'inode_storage_get',
  'task_storage_get',
  'cgrp_storage_get',
]);
const MAP_CALLS: ReadonlySet<HelperName> = new Set<MapOp>([
  'map_lookup_elem',
  'map_update_elem',
  'map_delete_elem',
  'map_push_elem',
  'map_pop_elem',
  'map_peek_elem',
  'redirect_map',
  'for_each_map_elem',
  'map_lookup_percpu_elem',
]);
/** Facts about the program that follow from a call. */
const CALL_FLAGS: Readonly<Partial<Record<HelperName, string>>> = {
  get_route_realm: 'dst_needed',
  override_return: 'kprobe_override',
};

const isMove64 = ({ code }: Insn): boolean => code === (CLASS.ALU64 | ALU.MOV | SRC.X);

/**
 * References to unused functions, which are gone, may point behind the end; what is appended there pushes them further,
 * but for one of the last instruction.
 */
function pushOutward(env: VerifierEnv, by: number): void {
  const end = env.insns.length;
  for (let i = 0; i < end - 1; i++) {
    const insn = env.insns[i];
    const field = relativeField(insn);
    if (field === 'imm' && i + 1 + insn.imm >= end) insn.imm += by;
  }
}

/** A program that can throw and has no callback for that gets one which hands on its argument. */
function addExceptionCallback(env: VerifierEnv): void {
  if (!env.seenException || env.exceptionCallbackSubprog !== 0) return;
  const added = new SubprogInfo(env.insns.length);
  added.isCb = true;
  added.isAsyncCb = true;
  added.isExceptionCb = true;
  const handler = [movReg(0, 1), exit()];
  pushOutward(env, handler.length);
  for (const insn of handler) {
    const aux = new InsnAux();
    aux.seen = env.aux[env.aux.length - 1].seen;
    env.insns.push(insn);
    env.aux.push(aux);
  }
  env.exceptionCallbackSubprog = env.subprogs.push(added) - 1;
  env.hiddenSubprogCnt++;
}

/** A cast between address spaces that is a plain 32-bit move after all. */
function fixCast(env: VerifierEnv, insn: Insn): void {
  const flags = env.arena?.flags ?? 0;
  if (!(insn.off === ADDRESS_CAST && insn.imm === CAST_TO_KERNEL) && (flags & NO_USER_CONVERSION) === 0) return;
  insn.code = CLASS.ALU | ALU.MOV | SRC.X;
  insn.off = 0;
  insn.imm = 0;
}

/** The call by the distance of the kernel function that the helper number means to this program. */
function callHelper(env: VerifierEnv, insn: Insn): number {
  const proto = helperProto(env, insn.imm);
  if (proto === undefined) {
    const name = HELPERS[insn.imm] ?? 'unknown';
    return verifierBug(env, `not inlined functions ${name}#${insn.imm} is missing func`);
  }
  insn.imm = callDistance(env.image, proto.symbol);
  return 0;
}

/** What has to be done before a helper is called. */
function callPreparation(aux: InsnAux, name: HelperName): Insn[] {
  if (name === 'timer_set_callback') return loadImm64(3, PROG_AUX_ADDRESS);
  if (STORAGE_GET.has(name)) return [movImm(5, aux.storageGetFuncAtomic ? GFP_ATOMIC : GFP_KERNEL)];
  if (aux.callWithPercpuAllocPtr) return [load(SIZE.DW, 1, 1, 0)];
  return [];
}

/** A call that goes to the map's type; undefined: to the helper. */
function callMap(env: VerifierEnv, insn: Insn, aux: InsnAux, name: MapOp): Insn[] | undefined {
  const state = aux.mapPtrState;
  if (state?.map === undefined || state.poison) return undefined;
  const { map } = state;
  const type = MAP_TYPES[map.type];
  const inlined = name === 'map_lookup_elem' ? LOOKUP[type]?.(env.image, map) : undefined;
  if (inlined !== undefined) return inlined;
  const symbol = MAP_OPS[type]?.[name];
  if (symbol === undefined) return undefined;
  insn.imm = callDistance(env.image, symbol);
  return [insn];
}

/** A call of a helper as it will be, or a negative errno. */
function fixHelperCall(env: VerifierEnv, insn: Insn, aux: InsnAux): Insn[] | number {
  const name = HELPERS[insn.imm];
  const flag = CALL_FLAGS[name];
  if (flag !== undefined) env.progFlags.add(flag);
  if (insn.imm === HELPER.tail_call) return fixTailCall(env, insn, aux);
  const preparation = callPreparation(aux, name);
  if (preparation.length === 0) {
    const replaced = MAP_CALLS.has(name) ? callMap(env, insn, aux, name as MapOp) : inlineHelper(env, name);
    if (replaced !== undefined) return replaced;
  }
  const err = callHelper(env, insn);
  return err === 0 ? [...preparation, insn] : err;
}

/** The instruction as it will be, or a negative errno. `depth`: stack of its function. */
function fixInsn(env: VerifierEnv, insn: Insn, aux: InsnAux, depth: number, i: number): Insn[] | number {
  if (isMove64(insn) && insn.imm !== 0) {
    fixCast(env, insn);
    return [insn];
  }
  if (aux.needsZext) insn.code = CLASS.ALU | insnOp(insn.code) | insnSrc(insn.code);
  switch (insnClass(insn.code)) {
    case CLASS.ALU:
    case CLASS.ALU64:
      return guardDivision(insn) ?? maskPointerArithmetic(insn, aux) ?? [insn];
    case CLASS.LD:
      return expandPacketLoad(env.image, insn) ?? [insn];
    case CLASS.JMP:
      if (isMayGoto(insn)) return expandMayGoto(env.image, insn, depth);
      if (insn.code !== CALL || insn.src === CALL_KIND.PSEUDO) return [insn];
      return insn.src === CALL_KIND.KFUNC ? fixKfuncCall(env, insn, aux, i) : fixHelperCall(env, insn, aux);
    default:
      return [insn];
  }
}

/**
 * Replaces calls of helpers and kernel functions by what they are, and guards what could trap or leak. 0 or a negative
 * errno.
 * rule: do_misc_fixups, 6.18
 */
export function doMiscFixups(env: VerifierEnv): number {
  addExceptionCallback(env);
  const { aux, subprogs } = env;
  const expansion = new Expansion(env);
  for (const [s, subprog] of subprogs.entries()) {
    const end = env.subprogEnd(s);
    let usesMayGoto = false;
    for (let i = subprog.start; i < end; i++) {
      const insn = expansion.take(i);
      if (isMayGoto(insn)) usesMayGoto = true;
      const patch = fixInsn(env, insn, aux[i], subprog.stackDepth, expansion.position);
      if (typeof patch === 'number') return patch;
      if (patch.length === 1 && patch[0] === insn) expansion.keep(i);
      else expansion.replace(i, patch);
    }
    subprog.stackExtra = usesMayGoto ? MAY_GOTO_STACK : 0;
    subprog.stackDepth += subprog.stackExtra;
  }
  return expansion.finish() || initialiseMayGoto(env);
}
