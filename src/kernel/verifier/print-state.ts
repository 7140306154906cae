// Registers, stack slots and paths as text in the log. Rule: log.c, 6.18.
import type { VerifierEnv } from './env.ts';
import { isNonOwningRef, isPktPointer } from './pointer-kinds.ts';
import { dynptrTypeStr, iterStateStr, iterTypeStr, regTypeStr } from './reg-names.ts';
import { tnumIsConst, tnumIsUnknown, tnumStr } from './tnum.ts';
import {
  ADD_CONST_MASK,
  baseType,
  type FuncState,
  MAX_REGS,
  plainId,
  REG,
  type RegState,
  type RetvalRange,
  S32_MAX,
  S32_MIN,
  S64_MAX,
  S64_MIN,
  SLOT,
  U32_MAX,
  U64_MAX,
  type VerifierState,
} from './types.ts';

export { verboseInsn, verboseLineInfo } from './print-insn.ts';

const s64 = (x: bigint): bigint => BigInt.asIntN(64, x);

const isSmallSigned = (x: bigint): boolean => x >= -0x8000n && x <= 0x7fffn;
const hex = (x: bigint): string => `0x${BigInt.asUintN(64, x).toString(16)}`;
const unsignedText = (x: bigint): string => (x <= 0xffffn ? x.toString() : hex(x));
const signedText = (x: bigint): string => (isSmallSigned(x) ? x.toString() : hex(x));

/** A 32-bit signed bound keeps its sign only where it prints as a decimal. */
const wide32 = (x: number): bigint => BigInt(x >= -0x8000 && x <= 0x7fff ? x : x >>> 0);

/** Name, value as 64 bits, whether it says nothing. Even entries are minima, odd ones maxima. */
type Bound = [name: string, value: bigint, omit: boolean];

/** "smin=umin=1,smax=5": equal minima, and equal maxima, share one value unless they differ in sign. */
function rangesText(reg: RegState): string[] {
  const bounds: Bound[] = [
    ['smin', reg.smin, reg.smin === S64_MIN],
    ['smax', reg.smax, reg.smax === S64_MAX],
    ['umin', reg.umin, reg.umin === 0n],
    ['umax', reg.umax, reg.umax === U64_MAX],
    ['smin32', wide32(reg.s32min), reg.s32min === S32_MIN],
    ['smax32', wide32(reg.s32max), reg.s32max === S32_MAX],
    ['umin32', BigInt(reg.u32min), reg.u32min === 0],
    ['umax32', BigInt(reg.u32max), reg.u32max === U32_MAX],
  ];
  // Values of signed and unsigned names are compared with sign, so a negative one never equals an unsigned one.
  const out: string[] = [];
  for (let i = 0; i < bounds.length; i++) {
    const [name, value, omit] = bounds[i];
    if (omit) continue;
    let text = `${name}=`;
    for (let j = i + 2; j < bounds.length; j += 2) {
      const other = bounds[j];
      if (other[2] || other[1] !== value) continue;
      other[2] = true;
      text += `${other[0]}=`;
    }
    out.push(text + (name.startsWith('s') ? signedText(value) : unsignedText(value)));
  }
  return out;
}

const MAP_POINTERS: ReadonlySet<number> = new Set([REG.CONST_MAP_PTR, REG.MAP_KEY, REG.MAP_VALUE]);

/** One register as `frame` (its own or another one's) shows it, without its name. */
export function regStateStr(frame: FuncState, reg: RegState): string {
  const { type, varOff } = reg;
  const scalar = type === REG.SCALAR;
  const known = tnumIsConst(varOff);
  const precise = scalar && reg.precise ? 'P' : '';
  if (scalar && known) return precise + signedText(s64(varOff.value));

  let head = precise + regTypeStr(type);
  if (type === REG.ARENA) return head;
  if (type === REG.STACK) {
    if (frame.frameno !== reg.frameno) head += `[${reg.frameno}]`;
    if (known) return head + signedText(s64(varOff.value + BigInt(reg.off)));
  }
  const base = baseType(type);
  if (base === REG.BTF_ID && reg.btf !== undefined) head += reg.btf.name(reg.btfId);

  const items: string[] = [];
  if (reg.id !== 0) items.push(`id=${plainId(reg.id)}`);
  let tail = '';
  if ((reg.id & ADD_CONST_MASK) !== 0) tail = reg.off < 0 ? String(reg.off) : `+${reg.off}`;
  if (tail !== '') items[0] += tail;
  if (reg.refObjId !== 0) items.push(`ref_obj_id=${reg.refObjId}`);
  if (isNonOwningRef(type)) items.push('non_own_ref');
  if (MAP_POINTERS.has(base) && reg.map !== undefined) {
    if (reg.map.name !== '') items.push(`map=${reg.map.name}`);
    items.push(`ks=${reg.map.keySize | 0},vs=${reg.map.valueSize | 0}`);
  }
  if (!scalar && reg.off !== 0) items.push(`off=${signedText(BigInt(reg.off))}`);
  if (isPktPointer(reg)) items.push(`r=${unsignedText(BigInt.asUintN(64, BigInt(reg.range)))}`);
  if (base === REG.MEM) items.push(`sz=${unsignedText(BigInt(reg.memSize))}`);
  if (type === REG.CONST_DYNPTR) items.push(`type=${dynptrTypeStr(reg.dynptrType)}`);
  if (known) {
    if (varOff.value !== 0n) items.push(`imm=${signedText(s64(varOff.value))}`);
  } else {
    items.push(...rangesText(reg));
    if (!tnumIsUnknown(varOff)) items.push(`var_off=${tnumStr(varOff)}`);
  }
  return `${head}(${items.join(',')})`;
}

const SLOT_CHARS = '?rm0dif';
/** A dynptr takes two slots; the upper-numbered one carries its state. */
const DYNPTR_SLOTS = 2;

const slotName = (spi: number): string => `fp${-(spi + 1) * 8}`;

/** Text of the slot at `spi` with its leading space, empty if it shows nothing, and the last slot it stood for. */
function slotText(frame: FuncState, spi: number): [text: string, last: number] {
  const slot = frame.stack[spi];
  if (slot.types.every((t) => t === SLOT.INVALID)) return ['', spi];
  const letters = Array.from(slot.types, (t) => SLOT_CHARS[t]).join('');
  switch (slot.types[7]) {
    case SLOT.SPILL:
      return [` ${slotName(spi)}=${letters.slice(0, letters.indexOf('r'))}${regStateStr(frame, slot.spilled)}`, spi];
    case SLOT.DYNPTR: {
      const last = spi + DYNPTR_SLOTS - 1;
      const reg = frame.stack[last].spilled;
      const items = [
        reg.id !== 0 ? `id=${reg.id}` : '',
        reg.refObjId !== 0 ? `ref_id=${reg.refObjId}` : '',
        reg.dynptrFirstSlot ? 'dynptr_id=1' : '',
      ].filter((item) => item !== '');
      return [` ${slotName(last)}=dynptr_${dynptrTypeStr(reg.dynptrType)}(${items.join(',')})`, last];
    }
    case SLOT.ITER: {
      const reg = slot.spilled;
      if (reg.refObjId === 0) return ['', spi];
      const name = iterTypeStr(reg.btf, reg.btfId);
      const state = iterStateStr(reg.iterState);
      return [` ${slotName(spi)}=iter_${name}(ref_id=${reg.refObjId},state=${state},depth=${reg.iterDepth})`, spi];
    }
    default:
      return [` ${slotName(spi)}=${letters}`, spi];
  }
}

/**
 * Frame `frameno` of `state` on one line, beginning with a space: all of it, or with `printAll` false what has been
 * touched since the last time, and then nothing counts as touched any more.
 */
export function printVerifierState(env: VerifierEnv, state: VerifierState, frameno: number, printAll: boolean): void {
  if (env.log.level !== 0) env.log.append(stateText(env, state, frameno, printAll));
  if (!printAll) markVerifierStateClean(env);
}

function stateText(env: VerifierEnv, state: VerifierState, frameno: number, printAll: boolean): string {
  const frame = state.frame[frameno];
  let text = frame.frameno !== 0 ? ` frame${frame.frameno}:` : '';
  for (let i = 0; i < MAX_REGS; i++) {
    const reg = frame.regs[i];
    if (reg.type === REG.NOT_INIT) continue;
    if (printAll || ((env.scratchedRegs >>> i) & 1) !== 0) text += ` R${i}=${regStateStr(frame, reg)}`;
  }
  for (let i = 0; i < frame.stack.length; i++) {
    if (!printAll && !isSlotScratched(env, i)) continue;
    const [slot, last] = slotText(frame, i);
    text += slot;
    i = last;
  }
  // The list shows only if its first entry has an id.
  const ids = state.refs.map((ref) => ref.id);
  if (ids.length > 0 && ids[0] !== 0) text += ` refs=${ids.filter((id) => id !== 0).join(',')}`;
  if (frame.inCallbackFn) text += ' cb';
  if (frame.inAsyncCallbackFn) text += ' async_cb';
  return `${text}\n`;
}

/** Column of the comment: text is followed by at least 3 blanks, then `;` in column 38 or a multiple of 8 further. */
function paddingAfter(pos: number): number {
  const column = Math.max(pos + 4, 40);
  return Math.ceil(column / 8) * 8 - pos - 1;
}

/** What the last instruction touched: behind its text if nothing was printed since, else on a line of its own. */
export function printInsnState(env: VerifierEnv, state: VerifierState, frameno: number): void {
  const { log } = env;
  if (env.prevLogPos !== 0 && env.prevLogPos === log.endPos) {
    log.rewind(env.prevLogPos - 1);
    log.append(`${' '.repeat(paddingAfter(env.prevInsnPrintPos))};`);
  } else {
    log.append(`${env.insnIdx}:`);
  }
  printVerifierState(env, state, frameno, false);
}

export const markRegScratched = (env: VerifierEnv, regno: number): void => {
  env.scratchedRegs |= 1 << regno;
};

export const markStackSlotScratched = (env: VerifierEnv, spi: number): void => {
  if (spi < 32) env.scratchedSlotsLow |= 1 << spi;
  else env.scratchedSlotsHigh |= 1 << (spi - 32);
};

const isSlotScratched = (env: VerifierEnv, spi: number): boolean =>
  ((spi < 32 ? env.scratchedSlotsLow >>> spi : env.scratchedSlotsHigh >>> (spi - 32)) & 1) !== 0;

/** All counts as touched. */
export function markVerifierStateScratched(env: VerifierEnv): void {
  env.scratchedRegs = -1;
  env.scratchedSlotsLow = -1;
  env.scratchedSlotsHigh = -1;
}

export function markVerifierStateClean(env: VerifierEnv): void {
  env.scratchedRegs = 0;
  env.scratchedSlotsLow = 0;
  env.scratchedSlotsHigh = 0;
}

/** A scalar outside the range that a return value must lie in; `ctx` begins the sentence. */
export function verboseInvalidScalar(
  env: VerifierEnv,
  reg: RegState,
  range: RetvalRange,
  ctx: string,
  regName: string,
): void {
  let known = '';
  if (reg.smin > S64_MIN) known += ` smin=${reg.smin}`;
  if (reg.smax < S64_MAX) known += ` smax=${reg.smax}`;
  env.log.append(`${ctx} the register ${regName} has${known === '' ? ' unknown scalar value' : known}`);
  env.log.append(` should have been in [${range.min}, ${range.max}]\n`);
}
