// Internet checksums: sums of 16-bit words in which the carry comes back. Words are taken as they lie in memory.
import { ERRNO } from '../../../errno.ts';
import type { HelperFn, Machine } from '../machine.ts';
import type { HelperTable } from '../program.ts';
import { socketBuffer } from './packet.ts';

const EINVAL = BigInt(-ERRNO.EINVAL);
const EFAULT = BigInt(-ERRNO.EFAULT);
const LOW32 = 0xffffffffn;

function fold32(sum: bigint): bigint {
  let s = sum;
  while (s >> 32n !== 0n) s = (s & LOW32) + (s >> 32n);
  return s;
}

function fold16(sum: bigint): bigint {
  let s = sum;
  while (s >> 16n !== 0n) s = (s & 0xffffn) + (s >> 16n);
  return s;
}

/** Sum of all bytes, an odd one counting as the low half of a word. rule: csum_partial */
function partial(bytes: Uint8Array, start: bigint): bigint {
  let sum = start;
  for (let i = 0; i < bytes.length; i += 2) sum += BigInt(bytes[i] | ((bytes[i + 1] ?? 0) << 8));
  return fold32(sum);
}

const not32 = (x: bigint): bigint => ~x & LOW32;
const u32 = (r: bigint): bigint => BigInt.asUintN(32, r);
const bytesAt = (m: Machine, address: bigint, size: bigint): Uint8Array => m.memory.bytesAt(address, Number(u32(size)));

/** rule: bpf_csum_diff, 6.18 */
const difference: HelperFn = (m, r1, r2, r3, r4, r5) => {
  const from = bytesAt(m, r1, r2);
  const to = bytesAt(m, r3, r4);
  if (((from.length | to.length) & 3) !== 0) return EINVAL;
  const seed = u32(r5);
  if (from.length === 0 && to.length === 0) return fold16(seed);
  if (from.length === 0) return fold16(partial(to, seed));
  const without = not32(fold16(partial(from, 0n)));
  const sum = to.length === 0 ? seed : partial(to, seed);
  return fold16(fold32(sum + without));
};

/** Flags: the lowest four bits are the size of what changes. */
const SIZE_MASK = 0xfn;
const MANGLED_0 = 0x20n;
const ENFORCE = 0x40n;
const L4_FLAGS = 0xffn;
/** What a checksum of 0 is written as, where 0 means that there is none. */
const ZERO = 0xffff;
const MAX_OFFSET = 0xffffn;

/** The checksum after `from` has become `to`; with size 0, `to` is the difference already. */
function replaced(sum: number, from: bigint, to: bigint, size: bigint): number {
  const before = not32(BigInt(sum));
  const changed = size === 0n ? before + u32(to) : before + not32(from & mask(size)) + (to & mask(size));
  return Number(~fold16(fold32(changed)) & 0xffffn);
}

const mask = (size: bigint): bigint => (1n << (8n * size)) - 1n;

/** The two bytes of a checksum in a packet, or the errno. */
function fieldAt(m: Machine, context: bigint, offset: bigint): Uint8Array | bigint {
  if (u32(offset) > MAX_OFFSET || (offset & 1n) !== 0n) return EFAULT;
  return socketBuffer(m, context).packet.slice(Number(u32(offset)), 2) ?? EFAULT;
}

const sizeFits = (size: bigint, from: bigint): boolean => (size === 0n ? from === 0n : size === 2n || size === 4n);

/** rule: bpf_l3_csum_replace, 6.18 */
const replaceL3: HelperFn = (m, r1, r2, r3, r4, r5) => {
  if ((r5 & ~SIZE_MASK) !== 0n) return EINVAL;
  const field = fieldAt(m, r1, r2);
  if (typeof field === 'bigint') return field;
  if (!sizeFits(r5 & SIZE_MASK, r3)) return EINVAL;
  const sum = replaced(field[0] | (field[1] << 8), r3, r4, r5 & SIZE_MASK);
  field.set([sum & 0xff, sum >> 8]);
  return 0n;
};

/** rule: bpf_l4_csum_replace, 6.18 */
const replaceL4: HelperFn = (m, r1, r2, r3, r4, r5) => {
  if ((r5 & ~L4_FLAGS) !== 0n) return EINVAL;
  const field = fieldAt(m, r1, r2);
  if (typeof field === 'bigint') return field;
  const old = field[0] | (field[1] << 8);
  const mangled = (r5 & MANGLED_0) !== 0n;
  if (mangled && (r5 & ENFORCE) === 0n && old === 0) return 0n;
  if (!sizeFits(r5 & SIZE_MASK, r3)) return EINVAL;
  const sum = replaced(old, r3, r4, r5 & SIZE_MASK);
  const shown = mangled && sum === 0 ? ZERO : sum;
  field.set([shown & 0xff, shown >> 8]);
  return 0n;
};

export const CHECKSUM_HELPERS: HelperTable = {
  csum_diff: difference,
  l3_csum_replace: replaceL3,
  l4_csum_replace: replaceL4,
};
