// All bounds of one register as 32-bit words, where the rules that reconcile them work without an allocation: 64-bit
// comparisons and masks are the most frequent work of a verification. A value is named by its place in `words`: low
// half, then high half. Rule: reg_bounds_sync and its parts, verifier.c, 6.18.
import { tnumStep } from './tnum.ts';
import { type RegState, S32_MAX, S32_MIN, TNUM_UNKNOWN, TNUM_ZERO } from './types.ts';

const UMIN = 0;
const UMAX = 2;
const SMIN = 4;
const SMAX = 6;
const VALUE = 8;
const MASK = 10;
const COUNT = 12;
/** Room for results on the way. */
const TEMP = 12;
const TEMP_MASK = 14;

const words = new Int32Array(16);
const unsigned = new BigUint64Array(words.buffer);
const signed = new BigInt64Array(words.buffer);
/** Words as they were when the register was taken up. */
const taken = new Int32Array(COUNT);
/** Words before a round of deductions. */
const before = new Int32Array(COUNT);

// 32-bit bounds of the register in work; all signed, so that they stay small integers.
let u32min = 0;
let u32max = 0;
let s32min = 0;
let s32max = 0;

const below = (a: number, b: number): boolean => a >>> 0 < b >>> 0;

function lessUnsigned(a: number, b: number): boolean {
  const high = words[a + 1];
  const other = words[b + 1];
  return high === other ? below(words[a], words[b]) : below(high, other);
}

function lessSigned(a: number, b: number): boolean {
  const high = words[a + 1];
  const other = words[b + 1];
  return high === other ? below(words[a], words[b]) : high < other;
}

const same = (a: number, b: number): boolean => words[a] === words[b] && words[a + 1] === words[b + 1];

function move(to: number, from: number): void {
  words[to] = words[from];
  words[to + 1] = words[from + 1];
}

function put(to: number, low: number, high: number): void {
  words[to] = low;
  words[to + 1] = high;
}

/** Takes up a register. */
export function takeBounds(reg: RegState): void {
  unsigned[UMIN >> 1] = reg.umin;
  unsigned[UMAX >> 1] = reg.umax;
  signed[SMIN >> 1] = reg.smin;
  signed[SMAX >> 1] = reg.smax;
  unsigned[VALUE >> 1] = reg.varOff.value;
  unsigned[MASK >> 1] = reg.varOff.mask;
  for (let i = 0; i < COUNT; i++) taken[i] = words[i];
  u32min = reg.u32min | 0;
  u32max = reg.u32max | 0;
  s32min = reg.s32min;
  s32max = reg.s32max;
}

const changed = (at: number): boolean => words[at] !== taken[at] || words[at + 1] !== taken[at + 1];

/** Gives back what has changed of the register taken up; what has not stays the same object. */
export function giveBounds(reg: RegState): void {
  if (changed(UMIN)) reg.umin = unsigned[UMIN >> 1];
  if (changed(UMAX)) reg.umax = same(UMAX, UMIN) ? reg.umin : unsigned[UMAX >> 1];
  if (changed(SMIN)) reg.smin = same(SMIN, UMIN) && words[SMIN + 1] >= 0 ? reg.umin : signed[SMIN >> 1];
  if (changed(SMAX)) reg.smax = same(SMAX, UMAX) && words[SMAX + 1] >= 0 ? reg.umax : signed[SMAX >> 1];
  if (changed(VALUE) || changed(MASK)) {
    const high = words[MASK + 1];
    if (words[MASK] === -1 && high === -1) reg.varOff = TNUM_UNKNOWN;
    else if ((words[MASK] | high | words[VALUE] | words[VALUE + 1]) === 0) reg.varOff = TNUM_ZERO;
    else reg.varOff = { value: unsigned[VALUE >> 1], mask: unsigned[MASK >> 1] };
  }
  reg.u32min = u32min >>> 0;
  reg.u32max = u32max >>> 0;
  reg.s32min = s32min;
  reg.s32max = s32max;
}

/** All bounds become the value at `at`. */
function setKnown(at: number): void {
  const low = words[at];
  const high = words[at + 1];
  for (let to = UMIN; to <= VALUE; to += 2) put(to, low, high);
  put(MASK, 0, 0);
  u32min = low;
  u32max = low;
  s32min = low;
  s32max = low;
}

/** Bounds that the known bits imply, low half. */
export function update32(): void {
  const value = words[VALUE];
  const mask = words[MASK];
  const least = value | (mask & S32_MIN);
  const most = value | (mask & S32_MAX);
  if (least > s32min) s32min = least;
  if (most < s32max) s32max = most;
  if (below(u32min, value)) u32min = value;
  if (below(value | mask, u32max)) u32max = value | mask;
}

/** The member of the known bits that follows the lowest one, at TEMP. */
function secondMember(): void {
  const low = words[MASK];
  const high = words[MASK + 1];
  if (low !== 0) put(TEMP, words[VALUE] | (low & -low), words[VALUE + 1]);
  else put(TEMP, words[VALUE], words[VALUE + 1] | (high & -high));
}

/** A constant, if known bits and unsigned range have but one value in common. */
function settleOnCommon(): void {
  if (same(UMIN, VALUE)) {
    secondMember();
    if (lessUnsigned(UMAX, TEMP)) setKnown(VALUE);
    return;
  }
  const known = { value: unsigned[VALUE >> 1], mask: unsigned[MASK >> 1] };
  const next = tnumStep(known, unsigned[UMIN >> 1]);
  const isMember =
    (words[UMIN] & ~words[MASK]) === words[VALUE] && (words[UMIN + 1] & ~words[MASK + 1]) === words[VALUE + 1];
  unsigned[TEMP >> 1] = next;
  if (isMember) {
    if (lessUnsigned(UMAX, TEMP)) setKnown(UMIN);
  } else if (next === (known.value | known.mask)) {
    setKnown(TEMP);
  } else if (!lessUnsigned(UMAX, TEMP)) {
    unsigned[TEMP_MASK >> 1] = tnumStep(known, next);
    if (lessUnsigned(UMAX, TEMP_MASK)) setKnown(TEMP);
  }
}

/** Bounds that the known bits imply, whole. */
function update64(): void {
  const low = words[VALUE];
  const high = words[VALUE + 1];
  const maskLow = words[MASK];
  const maskHigh = words[MASK + 1];
  put(TEMP, low, high | (maskHigh & S32_MIN));
  if (lessSigned(SMIN, TEMP)) move(SMIN, TEMP);
  put(TEMP, low | maskLow, high | (maskHigh & S32_MAX));
  if (lessSigned(TEMP, SMAX)) move(SMAX, TEMP);
  if (lessUnsigned(UMIN, VALUE)) move(UMIN, VALUE);
  put(TEMP, low | maskLow, high | maskHigh);
  if (lessUnsigned(TEMP, UMAX)) move(UMAX, TEMP);
  settleOnCommon();
}

/** Bounds of both widths that the known bits imply. */
export function updateAll(): void {
  update32();
  update64();
}

function narrowS32(min: number, max: number): void {
  if (min > s32min) s32min = min;
  if (max < s32max) s32max = max;
}

function narrowU32(min: number, max: number): void {
  if (below(u32min, min)) u32min = min;
  if (below(max, u32max)) u32max = max;
}

/** What the 64-bit ranges and the other 32-bit range say about each 32-bit range. */
function deduce32(): void {
  const uMinLow = words[UMIN];
  const uMaxLow = words[UMAX];
  const sMinLow = words[SMIN];
  const sMaxLow = words[SMAX];
  // One upper half throughout: the lower halves are a range of their own.
  if (words[UMIN + 1] === words[UMAX + 1]) {
    narrowU32(uMinLow, uMaxLow);
    if (uMinLow <= uMaxLow) narrowS32(uMinLow, uMaxLow);
  }
  if (words[SMIN + 1] === words[SMAX + 1]) {
    if (!below(sMaxLow, sMinLow)) narrowU32(sMinLow, sMaxLow);
    if (sMinLow <= sMaxLow) narrowS32(sMinLow, sMaxLow);
  }
  // Two adjacent upper halves, the lower ones going from negative to positive.
  if (((words[UMIN + 1] + 1) | 0) === words[UMAX + 1] && uMinLow < 0 && uMaxLow >= 0) narrowS32(uMinLow, uMaxLow);
  if (((words[SMIN + 1] + 1) | 0) === words[SMAX + 1] && sMinLow < 0 && sMaxLow >= 0) narrowS32(sMinLow, sMaxLow);

  if (u32min <= u32max) narrowS32(u32min, u32max);
  const sMin = s32min;
  const sMax = s32max;
  if (!below(sMax, sMin)) {
    narrowU32(sMin, sMax);
  } else if (below(u32max, sMin)) {
    // The unsigned range meets only the non-negative part of the signed one.
    s32min = u32min;
    if (below(sMax, u32max)) u32max = sMax;
  } else if (below(sMax, u32min)) {
    // …or only the negative part.
    s32max = u32max;
    if (below(u32min, sMin)) u32min = sMin;
  }
}

/** The same between the signed and the unsigned 64-bit range. */
function deduce64(): void {
  if (!lessSigned(UMAX, UMIN)) {
    if (lessSigned(SMIN, UMIN)) move(SMIN, UMIN);
    if (lessSigned(UMAX, SMAX)) move(SMAX, UMAX);
  }
  if (!lessUnsigned(SMAX, SMIN)) {
    if (lessUnsigned(UMIN, SMIN)) move(UMIN, SMIN);
    if (lessUnsigned(SMAX, UMAX)) move(UMAX, SMAX);
  } else if (lessUnsigned(UMAX, SMIN)) {
    move(SMIN, UMIN);
    if (lessUnsigned(SMAX, UMAX)) move(UMAX, SMAX);
  } else if (lessUnsigned(SMAX, UMIN)) {
    move(SMAX, UMAX);
    if (lessUnsigned(UMIN, SMIN)) move(UMIN, SMIN);
  }
}

/** The least tnum with all numbers of [min, max], at TEMP and TEMP_MASK. */
function rangeBits(minLow: number, minHigh: number, maxLow: number, maxHigh: number): void {
  const high = minHigh ^ maxHigh;
  const low = minLow ^ maxLow;
  const highBits = 32 - Math.clz32(high);
  const lowBits = high !== 0 ? 32 : 32 - Math.clz32(low);
  const maskHigh = highBits === 32 ? -1 : (1 << highBits) - 1;
  const maskLow = lowBits === 32 ? -1 : (1 << lowBits) - 1;
  put(TEMP, minLow & ~maskLow, minHigh & ~maskHigh);
  put(TEMP_MASK, maskLow, maskHigh);
}

/** Known bits of one half, joined with those at TEMP; a bit on which they contradict each other comes out as 1. */
function joinBits(half: number): void {
  const mask = words[MASK + half] & words[TEMP_MASK + half];
  words[VALUE + half] = (words[VALUE + half] | words[TEMP + half]) & ~mask;
  words[MASK + half] = mask;
}

/** What the 32-bit ranges say about the 64-bit ones. */
function deduceMixed(): void {
  if (below(words[UMIN], u32min)) words[UMIN] = u32min;
  if (below(u32max, words[UMAX])) words[UMAX] = u32max;
  if (below(words[SMIN], u32min)) words[SMIN] = u32min;
  if (below(u32max, words[SMAX])) words[SMAX] = u32max;

  // A sign-extended value whose low half is not negative: the upper half can only be zeros.
  const minHigh = words[SMIN + 1];
  const maxHigh = words[SMAX + 1];
  const fits =
    (minHigh >= 0 || (minHigh === -1 && words[SMIN] < 0)) && (maxHigh < 0 || (maxHigh === 0 && words[SMAX] >= 0));
  if (s32min < 0 || !fits) return;
  put(SMIN, s32min, 0);
  put(SMAX, s32max, s32max >> 31);
  move(UMIN, SMIN);
  move(UMAX, SMAX);
  rangeBits(words[UMIN], words[UMIN + 1], words[UMAX], words[UMAX + 1]);
  joinBits(0);
  joinBits(1);
}

/** One round of deductions; false if it changed nothing, so that another round would not either. */
export function deduce(): boolean {
  for (let i = 0; i < COUNT; i++) before[i] = words[i];
  const [uMin, uMax, sMin, sMax] = [u32min, u32max, s32min, s32max];
  deduce32();
  deduce64();
  deduceMixed();
  if (u32min !== uMin || u32max !== uMax || s32min !== sMin || s32max !== sMax) return true;
  for (let i = 0; i < COUNT; i++) if (before[i] !== words[i]) return true;
  return false;
}

/** Bits that the unsigned ranges fix. */
export function learnBits(): void {
  rangeBits(words[UMIN], words[UMIN + 1], words[UMAX], words[UMAX + 1]);
  joinBits(0);
  joinBits(1);
  rangeBits(u32min, 0, u32max, 0);
  joinBits(0);
}

/** A constant, and the 64-bit bounds say so. */
export const isConstant64 = (): boolean =>
  (words[MASK] | words[MASK + 1]) === 0 &&
  same(UMIN, VALUE) &&
  same(UMAX, VALUE) &&
  same(SMIN, VALUE) &&
  same(SMAX, VALUE);

/** A constant, and all bounds say so. */
export function isConstantAll(): boolean {
  const low = words[VALUE];
  return isConstant64() && u32min === low && u32max === low && s32min === low && s32max === low;
}

/** A constant whose 32-bit bounds merely include it, as those of a moved pointer do: sets them. False: something else. */
export function settleConstant(): boolean {
  if (!isConstant64()) return false;
  const low = words[VALUE];
  if (below(low, u32min) || below(u32max, low) || low < s32min || low > s32max) return false;
  u32min = low;
  u32max = low;
  s32min = low;
  s32max = low;
  return true;
}

/** Nothing at all is known. */
export const isUnknown = (): boolean =>
  (words[MASK] & words[MASK + 1] & words[UMAX] & words[UMAX + 1]) === -1 &&
  (words[UMIN] | words[UMIN + 1] | words[SMIN] | (words[SMIN + 1] ^ S32_MIN)) === 0 &&
  words[SMAX] === -1 &&
  words[SMAX + 1] === S32_MAX &&
  u32min === 0 &&
  u32max === -1 &&
  s32min === S32_MIN &&
  s32max === S32_MAX;
