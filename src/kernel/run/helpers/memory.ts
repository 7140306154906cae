// Helpers that read memory wherever it is, and work on strings and numbers in it.
import { ERRNO } from '../../../errno.ts';
import type { HelperFn, Machine } from '../machine.ts';
import { RunFault } from '../memory.ts';
import type { HelperTable } from '../program.ts';

const size = (r: bigint): number => Number(BigInt.asUintN(32, r));

/** `work`, or the errno where it meets no memory. */
function attempt(errno: number, work: () => bigint): bigint {
  try {
    return work();
  } catch (error) {
    if (error instanceof RunFault) return BigInt(-errno);
    throw error;
  }
}

/** What cannot be read gives zeroes and EFAULT. rule: bpf_probe_read_kernel_common, 6.18 */
const probeRead: HelperFn = (m, r1, r2, r3) => {
  const to = m.memory.bytesAt(r1, size(r2), true);
  return attempt(ERRNO.EFAULT, () => {
    try {
      to.set(m.memory.bytesAt(r3, to.length));
    } catch (error) {
      to.fill(0);
      throw error;
    }
    return 0n;
  });
};

/** Gives the length with the NUL. rule: bpf_probe_read_kernel_str_common, 6.18 */
const probeReadText: HelperFn = (m, r1, r2, r3) => {
  const to = m.memory.bytesAt(r1, size(r2), true);
  if (to.length === 0) return 0n;
  return attempt(ERRNO.EFAULT, () => {
    try {
      const text = m.memory.cString(r3, to.length - 1);
      to.set(text);
      to[text.length] = 0;
      return BigInt(text.length + 1);
    } catch (error) {
      to.fill(0);
      throw error;
    }
  });
};

/** Where user space ends, with the page behind it. */
const USER_END = (1n << 47n) + 4096n;

/** The kernel's own memory only: addresses of user space give zeroes and ERANGE. rule: copy_from_kernel_nofault, 6.18 */
const ofKernel =
  (read: HelperFn): HelperFn =>
  (m, r1, r2, r3, r4, r5) => {
    if (r3 >= USER_END) return read(m, r1, r2, r3, r4, r5);
    m.memory.bytesAt(r1, size(r2), true).fill(0);
    return BigInt(-ERRNO.ERANGE);
  };

const SPACE = /^\s*/;
const HEX_DIGIT = /^[0-9a-f]$/;
const DIGITS = '0123456789abcdefghijklmnopqrstuvwxyz';

interface Parsed {
  /** Characters used; 0 and a negative errno in `err` where there is no number. */
  used: number;
  negative: boolean;
  value: bigint;
  err: number;
}

/** rule: __bpf_strtoull, 6.18 */
function parseNumber(bytes: Uint8Array, flags: bigint): Parsed {
  const bad = (err: number): Parsed => ({ used: 0, negative: false, value: 0n, err });
  let base = Number(flags & 31n);
  if (flags >> 5n !== 0n || (base !== 0 && base !== 8 && base !== 10 && base !== 16) || bytes.length === 0) {
    return bad(-ERRNO.EINVAL);
  }
  const text = Buffer.from(bytes).toString('latin1');
  const end = text.indexOf('\0');
  const all = (end < 0 ? text : text.slice(0, end)).toLowerCase();
  const blank = SPACE.exec(all)?.[0].length ?? 0;
  let at = blank;
  const negative = all[at] === '-';
  if (negative) at++;
  if (at >= bytes.length) return bad(-ERRNO.EINVAL);
  const rest = all.slice(at);
  if (base === 0) base = rest.startsWith('0x') && HEX_DIGIT.test(rest.slice(2, 3)) ? 16 : rest.startsWith('0') ? 8 : 10;
  if (base === 16 && rest.startsWith('0x')) at += 2;
  const first = at;
  let value = 0n;
  for (; at < all.length; at++) {
    const digit = DIGITS.indexOf(all[at]);
    if (digit < 0 || digit >= base) break;
    value = value * BigInt(base) + BigInt(digit);
    if (value > 0xffffffffffffffffn) return bad(-ERRNO.ERANGE);
  }
  return at === first ? bad(-ERRNO.EINVAL) : { used: at, negative, value, err: 0 };
}

const parse =
  (signed: boolean): HelperFn =>
  (m, r1, r2, r3, r4) => {
    const parsed = parseNumber(m.memory.bytesAt(r1, size(r2)), r3);
    m.memory.write(r4, 8, 0n);
    if (parsed.err !== 0) return BigInt(parsed.err);
    if (!signed && parsed.negative) return BigInt(-ERRNO.EINVAL);
    const value = parsed.negative ? -parsed.value : parsed.value;
    if (signed && value !== BigInt.asIntN(64, value)) return BigInt(-ERRNO.ERANGE);
    m.memory.write(r4, 8, value);
    return BigInt(parsed.used);
  };

/** rule: bpf_strncmp, 6.18 */
const compareText: HelperFn = (m, r1, r2, r3) => {
  const a = m.memory.bytesAt(r1, size(r2));
  const text = m.memory.cString(r3, size(r2));
  for (let i = 0; i < a.length; i++) {
    const b = text[i] ?? 0;
    if (a[i] !== b) return a[i] < b ? -1n : 1n;
    if (b === 0) return 0n;
  }
  return 0n;
};

/** Bytes that a helper was given by pointer and length. */
export const bytesOf = (m: Machine, address: bigint, length: bigint): Uint8Array =>
  m.memory.bytesAt(address, size(length));

export const MEMORY_HELPERS: HelperTable = {
  probe_read: probeRead,
  probe_read_kernel: ofKernel(probeRead),
  probe_read_user: probeRead,
  copy_from_user: probeRead,
  probe_read_str: probeReadText,
  probe_read_kernel_str: ofKernel(probeReadText),
  probe_read_user_str: probeReadText,
  strtol: parse(true),
  strtoul: parse(false),
  strncmp: compareText,
};
