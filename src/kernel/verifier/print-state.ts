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
  type StackSlot,
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

/** A bound as a number where it is one exactly, so that equal bounds are the same value. */
type Bound = number | bigint;

const wide = new BigInt64Array(1);
const [LOW, HIGH] = [0, 1];
const halves = new Int32Array(wide.buffer);
const SAFE_HIGH = 0x1fffff;

function signedBound(x: bigint): Bound {
  wide[0] = x;
  const high = halves[HIGH];
  return high >= -SAFE_HIGH && high <= SAFE_HIGH ? high * 2 ** 32 + (halves[LOW] >>> 0) : x;
}

const unsignedBound = (x: bigint): Bound => {
  const bound = signedBound(x);
  return bound < 0 ? x : bound;
};

/** A 32-bit signed bound keeps its sign only where it prints as a decimal. */
const wide32 = (x: number): number => (x >= -0x8000 && x <= 0x7fff ? x : x >>> 0);

const boundHex = (x: Bound): string => (x < 0 ? hex(BigInt(x)) : `0x${x.toString(16)}`);

/** Even ones are minima, odd ones maxima; names that begin with `s` are signed. */
const BOUNDS = ['smin', 'smax', 'umin', 'umax', 'smin32', 'smax32', 'umin32', 'umax32'] as const;
const values: Bound[] = new Array(BOUNDS.length).fill(0);

/** "smin=umin=1,smax=5": equal minima, and equal maxima, share one value unless they differ in sign. */
function rangesText(reg: RegState): string {
  values[0] = signedBound(reg.smin);
  values[1] = signedBound(reg.smax);
  values[2] = unsignedBound(reg.umin);
  values[3] = unsignedBound(reg.umax);
  values[4] = wide32(reg.s32min);
  values[5] = wide32(reg.s32max);
  values[6] = reg.u32min;
  values[7] = reg.u32max;
  let omit = 0;
  if (reg.smin === S64_MIN) omit |= 1;
  if (reg.smax === S64_MAX) omit |= 2;
  if (values[2] === 0) omit |= 4;
  if (reg.umax === U64_MAX) omit |= 8;
  if (reg.s32min === S32_MIN) omit |= 16;
  if (reg.s32max === S32_MAX) omit |= 32;
  if (reg.u32min === 0) omit |= 64;
  if (reg.u32max === U32_MAX) omit |= 128;
  let out = '';
  for (let i = 0; i < BOUNDS.length; i++) {
    if ((omit & (1 << i)) !== 0) continue;
    const value = values[i];
    if (out !== '') out += ',';
    out += `${BOUNDS[i]}=`;
    // Values of signed and unsigned names are compared with sign, so a negative one never equals an unsigned one.
    for (let j = i + 2; j < BOUNDS.length; j += 2) {
      if ((omit & (1 << j)) !== 0 || values[j] !== value) continue;
      omit |= 1 << j;
      out += `${BOUNDS[j]}=`;
    }
    const small = (i & 2) === 0 ? value >= -0x8000 && value <= 0x7fff : value <= 0xffff;
    out += small ? value.toString() : boundHex(value);
  }
  return out;
}

const MAP_POINTERS: ReadonlySet<number> = new Set([REG.CONST_MAP_PTR, REG.MAP_KEY, REG.MAP_VALUE]);

/** One register as `frame` (its own or another one's) shows it, without its name. */
export function regStateStr(frame: FuncState, reg: RegState): string {
  // A stack pointer looks different from other frames.
  if (!reg.frozen || reg.type === REG.STACK) return describeReg(frame, reg);
  reg.text ??= describeReg(frame, reg);
  return reg.text;
}

function describeReg(frame: FuncState, reg: RegState): string {
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
    const ranges = rangesText(reg);
    if (ranges !== '') items.push(ranges);
    if (!tnumIsUnknown(varOff)) items.push(`var_off=${tnumStr(varOff)}`);
  }
  return `${head}(${items.join(',')})`;
}

const SLOT_CHARS = '?rm0dif';
/** A dynptr takes two slots; the upper-numbered one carries its state. */
const DYNPTR_SLOTS = 2;

const slotName = (spi: number): string => `fp${-(spi + 1) * 8}`;

const lettersByKinds = new Map<number, string>();

/** One letter a byte. */
function slotLetters(slot: StackSlot): string {
  const { kinds } = slot;
  let letters = lettersByKinds.get(kinds);
  if (letters === undefined) {
    letters = Array.from(slot.types, (t) => SLOT_CHARS[t]).join('');
    lettersByKinds.set(kinds, letters);
  }
  return letters;
}

/** Text of the slot at `spi` with its leading space, empty if it shows nothing, and the last slot it stood for. */
function slotText(frame: FuncState, spi: number): [text: string, last: number] {
  const slot = frame.stack[spi];
  const letters = slotLetters(slot);
  switch (slot.types[7]) {
    case SLOT.SPILL: {
      const above = slot.types[0] === SLOT.SPILL ? '' : letters.slice(0, letters.indexOf('r'));
      return [` ${slotName(spi)}=${above}${regStateStr(frame, slot.spilled)}`, spi];
    }
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
  if (env.log.level !== 0) env.log.appendAscii(stateText(env, state, frameno, printAll));
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
    if (frame.stack[i].kinds === 0 || (!printAll && !isSlotScratched(env, i))) continue;
    const [slot, last] = slotText(frame, i);
    text += slot;
    i = last;
  }
  // The list shows only if its first entry has an id.
  const { refs } = state;
  if (refs.length > 0 && refs[0].id !== 0) {
    text += ` refs=${refs
      .map(({ id }) => id)
      .filter((id) => id !== 0)
      .join(',')}`;
  }
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
