// Results of helpers and kernel functions that nobody has written: any that the verifier claims possible.
import { baseType, type FuncState, mayBeNull, REG, type RegState } from '../../verifier/types.ts';
import type { Machine } from '../machine.ts';
import type { RandomSource } from '../random.ts';
import { admits } from './claims.ts';

const OBJECT_BYTES = 4096;
const SMALL_BYTES = 256;
const ATTEMPTS = 24;

export const pick = <T>(random: RandomSource, list: readonly T[]): T =>
  list[Number(random.next() % BigInt(list.length))];

/** Key in Machine.state of numbers that the program compares with: an array of bigint. */
export const LANDMARKS: unique symbol = Symbol('landmarks');

/** Noise, or mostly zeroes; and here and there a number that the program itself names, or its neighbour. */
export function randomBytes(m: Machine, size: number): Uint8Array {
  const { random } = m;
  const bytes = new Uint8Array(size);
  const sparse = (random.next() & 1n) === 0n;
  for (let i = 0; i < size; i++) {
    const x = Number(random.next() & 0xffffn);
    bytes[i] = sparse && x >> 8 > 40 ? 0 : x & 0xff;
  }
  const landmarks = m.state.get(LANDMARKS) as readonly bigint[] | undefined;
  if (landmarks === undefined || landmarks.length === 0) return bytes;
  const view = new DataView(bytes.buffer);
  for (let at = 0; at + 8 <= Math.min(size, LANDMARK_BYTES); at += 4) {
    if (random.next() % 3n !== 0n) continue;
    const value = BigInt.asUintN(64, pick(random, landmarks) + (random.next() % 3n) - 1n);
    if ((random.next() & 1n) === 0n) view.setUint32(at, Number(value & 0xffffffffn), true);
    else view.setBigUint64(at, value, true);
  }
  return bytes;
}
/** Only so much of a large object is written to with care. */
const LANDMARK_BYTES = 512;

/** An admitted number; near the borders as often as in between. */
export function randomAdmitted(random: RandomSource, reg: RegState): bigint {
  const { value, mask } = reg.varOff;
  const u64 = (x: bigint): bigint => BigInt.asUintN(64, x);
  const span = reg.umax - reg.umin + 1n;
  const candidates = (): bigint[] => {
    const r = random.next();
    return [
      reg.umin + (r % span),
      u64(reg.smin + (r % (reg.smax - reg.smin + 1n))),
      BigInt(reg.u32min) + (r % BigInt(reg.u32max - reg.u32min + 1)),
      reg.umin,
      reg.umax,
      u64(reg.smin),
      u64(reg.smax),
    ];
  };
  for (let i = 0; i < ATTEMPTS; i++) {
    const raw = pick(random, candidates());
    for (const x of [raw, (raw & mask) | value, (random.next() & mask) | value]) if (admits(reg, x)) return x;
  }
  return reg.umin;
}

function objectBytes(reg: RegState): number {
  switch (baseType(reg.type)) {
    case REG.MEM:
    case REG.BUF:
      return reg.memSize || SMALL_BYTES;
    case REG.MAP_VALUE:
      return reg.map?.valueSize ?? SMALL_BYTES;
    case REG.MAP_KEY:
      return reg.map?.keySize ?? SMALL_BYTES;
    case REG.BTF_ID:
      return OBJECT_BYTES;
    default:
      return SMALL_BYTES;
  }
}

/** A value for what is claimed of a register. */
export function inventValue(m: Machine, reg: RegState): bigint {
  const { random } = m;
  if (reg.type === REG.NOT_INIT) return random.next();
  if (reg.type === REG.SCALAR) return randomAdmitted(random, reg);
  if (mayBeNull(reg.type) && (random.next() & 1n) === 0n) return 0n;
  if (baseType(reg.type) === REG.CONST_MAP_PTR) return pick(random, [...m.maps.keys()]);
  const region = m.memory.add({ name: 'object', bytes: randomBytes(m, objectBytes(reg)) });
  return region.base + BigInt(reg.off) + reg.varOff.value;
}

/** R0 after a call, as one of the claims has it; undefined where no claim says that the call comes back. */
export function inventResult(m: Machine, claims: readonly FuncState[]): bigint | undefined {
  return claims.length === 0 ? undefined : inventValue(m, pick(m.random, claims).regs[0]);
}
