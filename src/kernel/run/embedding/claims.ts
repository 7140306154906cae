// Whether concrete values lie inside what is claimed of registers and stack slots.
import { coerceToSize } from '../../verifier/bounds.ts';
import { regTypeStr } from '../../verifier/reg-names.ts';
import { tnumStr } from '../../verifier/tnum.ts';
import {
  ADD_CONST32,
  ADD_CONST64,
  baseType,
  FLAG,
  mayBeNull,
  plainId,
  REG,
  type RegState,
} from '../../verifier/types.ts';

const u64 = (x: bigint): bigint => BigInt.asUintN(64, x);
const u32 = (x: bigint): bigint => BigInt.asUintN(32, x);

/** Whether an unsigned 64-bit value is one that the known bits and all bounds of a register allow. */
export function admits(reg: RegState, value: bigint): boolean {
  const { varOff } = reg;
  if ((value & ~varOff.mask) !== varOff.value) return false;
  if (value < reg.umin || value > reg.umax) return false;
  const signed = BigInt.asIntN(64, value);
  if (signed < reg.smin || signed > reg.smax) return false;
  const low = Number(value & 0xffffffffn);
  if (low < reg.u32min || low > reg.u32max) return false;
  const signedLow = low | 0;
  return signedLow >= reg.s32min && signedLow <= reg.s32max;
}

const hex = (x: bigint): string => `0x${x.toString(16)}`;

const describe = (reg: RegState): string =>
  `var_off=${tnumStr(reg.varOff)} u=[${hex(reg.umin)},${hex(reg.umax)}] s=[${reg.smin},${reg.smax}] ` +
  `u32=[${reg.u32min},${reg.u32max}] s32=[${reg.s32min},${reg.s32max}]`;

/** What pointers of a moment can be checked against. */
export interface Places {
  /** Address above the stack of a frame of the claim; undefined: unknown. */
  stackTop(frameno: number): bigint | undefined;
  context: bigint | undefined;
  packet: { start: bigint; end: bigint; meta: bigint } | undefined;
  /** Whether a struct bpf_map lies there. */
  isMap(address: bigint): boolean;
  /** Id of the map that the value at an address belongs to; undefined where it is none. */
  mapOfValue(address: bigint): number | undefined;
}

/** A register or slot with what is claimed of it and what it holds. */
export interface Located {
  readonly name: string;
  readonly reg: RegState;
  readonly value: bigint;
  /** Where the object begins that it points to, as far as that is known from where the pointer came from. */
  readonly base: bigint | undefined;
}

/** Address that `off` and the variable part of a pointer count from. */
function absoluteBase(reg: RegState, places: Places): bigint | undefined {
  switch (baseType(reg.type)) {
    case REG.STACK:
      return places.stackTop(reg.frameno);
    case REG.CTX:
      return places.context;
    case REG.PACKET:
      return reg.id === 0 ? places.packet?.start : undefined;
    case REG.PACKET_META:
      return reg.id === 0 ? places.packet?.meta : undefined;
    case REG.PACKET_END:
      return places.packet?.end;
    default:
      return undefined;
  }
}

/** Range of a packet pointer that stands at the end or beyond; a lower one: certainly beyond. rule: AT_PKT_END, 6.18 */
const AT_END = -1;

/** Bytes behind the pointer's own object part that are claimed to be packet, or that it stands at its end. */
function packetProblem({ reg, value }: Located, places: Places): string | undefined {
  const { packet } = places;
  const isMeta = baseType(reg.type) === REG.PACKET_META;
  if (packet === undefined || (baseType(reg.type) !== REG.PACKET && !isMeta)) return undefined;
  const end = isMeta ? packet.start : packet.end;
  if (reg.range < 0) {
    const fine = reg.range === AT_END ? value >= end : value > end;
    return fine ? undefined : `is ${end - value} bytes before the end, claimed range ${reg.range}`;
  }
  const from = u64(value - BigInt(reg.off));
  if (reg.range === 0 || from + BigInt(reg.range) <= end) return undefined;
  return `claims ${reg.range} bytes where ${end - from} are`;
}

/** Pointers that are never trusted: arithmetic on them leaves the claim as it is. */
const isUnbounded = (type: number): boolean =>
  baseType(type) === REG.ARENA || (baseType(type) === REG.MEM && (type & FLAG.UNTRUSTED) !== 0);

function pointerProblem(located: Located, places: Places): string | undefined {
  const { reg, value } = located;
  if (mayBeNull(reg.type) && value === 0n) return undefined;
  const kind = baseType(reg.type);
  if (kind === REG.CONST_MAP_PTR) return places.isMap(value) ? undefined : `${hex(value)} is no map`;
  const base = absoluteBase(reg, places) ?? located.base;
  if (kind === REG.MAP_VALUE && base !== undefined && reg.map !== undefined) {
    const id = places.mapOfValue(base);
    // Inner maps are claimed by their template, which has no id.
    if (id !== undefined && reg.map.name !== '' && id !== reg.map.id) return `points into map ${id}, not ${reg.map.id}`;
  }
  if (base !== undefined && !isUnbounded(reg.type)) {
    const delta = u64(value - base - BigInt(reg.off));
    if (!admits(reg, delta)) return `offset ${BigInt.asIntN(64, delta)} besides ${reg.off}: ${describe(reg)}`;
  }
  return packetProblem(located, places);
}

/** Why the value is not one that is claimed; undefined where it is. */
export function problem(located: Located, places: Places): string | undefined {
  const { reg, value, name } = located;
  if (reg.type === REG.NOT_INIT) return undefined;
  if (reg.type !== REG.SCALAR) {
    const what = pointerProblem(located, places);
    return what && `${name} (${regTypeStr(reg.type)}) ${what}`;
  }
  return admits(reg, value) ? undefined : `${name} = ${hex(value)}: ${describe(reg)}`;
}

/** Of a number spilled in less than 8 bytes: what a load of them gives. */
export function narrowed(reg: RegState, bytes: number): RegState {
  const copy = reg.clone();
  if (bytes < 8) {
    coerceToSize(copy, bytes);
    if (reg.umax >> BigInt(bytes * 8) !== 0n) copy.id = 0;
  }
  return copy;
}

/** Numbers of one id are equal, but for the constants that they are known to differ by. */
export function linkProblem(all: readonly Located[]): string | undefined {
  const first = new Map<number, Located>();
  for (const here of all) {
    const { reg } = here;
    const id = plainId(reg.id);
    if (id === 0) continue;
    const isPacket = baseType(reg.type) === REG.PACKET || baseType(reg.type) === REG.PACKET_META;
    if (reg.type !== REG.SCALAR && !isPacket) continue;
    const other = first.get(id);
    if (other === undefined) {
      first.set(id, here);
      continue;
    }
    const linked = isPacket || ((reg.id | other.reg.id) & (ADD_CONST64 | ADD_CONST32)) !== 0;
    const a = linked ? u64(here.value - BigInt(reg.off)) : here.value;
    const b = linked ? u64(other.value - BigInt(other.reg.off)) : other.value;
    const low = reg.type === REG.SCALAR && ((reg.id | other.reg.id) & ADD_CONST32) !== 0;
    if (low ? u32(a) !== u32(b) : a !== b) {
      return `${here.name} = ${hex(here.value)} and ${other.name} = ${hex(other.value)} have id ${id}`;
    }
  }
  return undefined;
}

/** Pointers of one id are all null or none is. */
export function nullProblem(all: readonly Located[]): string | undefined {
  const first = new Map<number, Located>();
  for (const here of all) {
    const { reg } = here;
    if (!mayBeNull(reg.type) || reg.id === 0) continue;
    const other = first.get(reg.id);
    if (other === undefined) first.set(reg.id, here);
    else if ((other.value === 0n) !== (here.value === 0n)) return `${here.name} and ${other.name} have id ${reg.id}`;
  }
  return undefined;
}
