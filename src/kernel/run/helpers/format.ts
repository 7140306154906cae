// The format language of bpf_trace_printk and bpf_snprintf, as far as programs can use it.
import { ERRNO } from '../../../errno.ts';
import type { Machine } from '../machine.ts';
import { RunFault } from '../memory.ts';

const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

/** A conversion: flags and width, size, letter with what follows a `p`. */
const CONVERSION = /%([-+ 0#]*\d*)(hh|h|ll|l|z)?(p[kuix]?[sB46]?|[diuxXcs%])/g;
const WIDTH = /^([-+ 0#]*)(\d*)$/;
const MAX_TEXT = 512;

function pad(text: string, spec: string): string {
  const [, flags, width] = WIDTH.exec(spec) ?? ['', '', ''];
  if (width === '') return text;
  if (flags.includes('-')) return text.padEnd(Number(width));
  if (!flags.includes('0')) return text.padStart(Number(width));
  const sign = text.startsWith('-') ? '-' : '';
  return sign + text.slice(sign.length).padStart(Number(width) - sign.length, '0');
}

const BITS: Readonly<Record<string, number>> = { hh: 8, h: 16, '': 32, l: 64, ll: 64, z: 64 };

function number(value: bigint, bits: number, letter: string): string {
  switch (letter) {
    case 'd':
    case 'i':
      return BigInt.asIntN(bits, value).toString();
    case 'x':
      return BigInt.asUintN(bits, value).toString(16);
    case 'X':
      return BigInt.asUintN(bits, value).toString(16).toUpperCase();
    default:
      return BigInt.asUintN(bits, value).toString();
  }
}

/** What cannot be read is shown as nothing. rule: bpf_bprintf_prepare, 6.18 */
function text(m: Machine, address: bigint): string {
  try {
    return latin1(m.memory.cString(address, MAX_TEXT - 1));
  } catch (error) {
    if (error instanceof RunFault) return '';
    throw error;
  }
}

/** The text, or a negative errno. `format` may have a NUL at its end. */
export function formatText(m: Machine, format: Uint8Array, args: readonly bigint[]): string | number {
  const end = format.indexOf(0);
  const source = latin1(end < 0 ? format : format.subarray(0, end));
  let used = 0;
  let missing = false;
  const out = source.replace(CONVERSION, (_, spec: string, size: string | undefined, letter: string) => {
    if (letter === '%') return '%';
    if (used >= args.length) {
      missing = true;
      return '';
    }
    const value = args[used++];
    if (letter === 's') return pad(text(m, value), spec);
    if (letter === 'c') return pad(String.fromCharCode(Number(value & 0xffn)), spec);
    if (letter.startsWith('p')) return pad(value.toString(16).padStart(16, '0'), spec);
    return pad(number(value, BITS[size ?? ''], letter), spec);
  });
  return missing ? -ERRNO.EINVAL : out;
}
