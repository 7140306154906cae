// Values of .kconfig externs: from the kernel's configuration, or made up by the loader (LINUX_…).
import { gunzipSync } from 'node:zlib';
import type { Kernel } from '../syscall.ts';
import { errstr, ObjectError } from './errors.ts';
import type { ExternState, LoadState } from './load-state.ts';

/** Largest configuration that is unpacked. */
const MAX_CONFIG_TEXT = 1 << 26;
const TRISTATE: Readonly<Record<string, number>> = { n: 0, y: 1, m: 2 };
const EINVAL = 22;

/** LINUX_VERSION_CODE of the running kernel; 0 when it cannot be told. Rule: libbpf 1.8. */
export function kernelVersion(kernel: Kernel): number {
  const text = (path: string): string => new TextDecoder().decode(kernel.readFile(path) ?? new Uint8Array());
  const version =
    /^\S+\s+\S+\s+(\d+)\.(\d+)\.(\d+)/.exec(text('/proc/version_signature')) ??
    /Debian (\d+)\.(\d+)\.(\d+)/.exec(text('/proc/version')) ??
    /^(\d+)\.(\d+)\.(\d+)/.exec(kernel.release);
  if (!version) return 0;
  const [major, minor, patch] = version.slice(1).map(Number);
  return major * 65536 + minor * 256 + Math.min(patch, 255);
}

/** The configuration as text; undefined when the kernel shows none. */
function configText(kernel: Kernel): string | undefined {
  const bytes = kernel.readFile(`/boot/config-${kernel.release}`) ?? kernel.readFile('/proc/config.gz');
  if (!bytes) return undefined;
  const packed = bytes[0] === 0x1f && bytes[1] === 0x8b;
  try {
    return new TextDecoder().decode(packed ? gunzipSync(bytes, { maxOutputLength: MAX_CONFIG_TEXT }) : bytes);
  } catch {
    return undefined;
  }
}

/** One setting at a time into the bytes of the map. */
export class ConfigValues {
  private readonly state: LoadState;
  readonly bytes: Uint8Array;
  private readonly view: DataView;

  constructor(state: LoadState, size: number) {
    this.state = state;
    this.bytes = new Uint8Array(size);
    this.view = new DataView(this.bytes.buffer);
  }

  private refuse(text: string, errno: 'EINVAL' | 'ERANGE' = 'EINVAL'): never {
    this.state.messages.warn(text);
    throw new ObjectError(errno);
  }

  /** A number into an extern of type int, char or bool; throws ObjectError. */
  setNumber(extern: ExternState, value: bigint): void {
    const { name, config } = extern.spec;
    if (!config) return;
    const where = `extern (kcfg) '${name}': value '${value}' `;
    if (config.type !== 'int' && config.type !== 'char' && config.type !== 'bool') {
      this.refuse(`${where}implies integer, char, or boolean type`);
    }
    if (config.type === 'bool' && value > 1n) this.refuse(`${where}isn't boolean compatible`);
    const bits = config.size * 8;
    const wrapped = BigInt.asUintN(64, value);
    const fits = config.signed
      ? BigInt.asIntN(bits, wrapped) === BigInt.asIntN(64, wrapped)
      : BigInt.asUintN(bits, wrapped) === wrapped;
    if (bits < 64 && !fits) this.refuse(`${where}doesn't fit in ${config.size} bytes`, 'ERANGE');
    for (let i = 0; i < config.size; i++) {
      this.view.setUint8(config.offset + i, Number((wrapped >> BigInt(i * 8)) & 0xffn));
    }
    extern.resolved = true;
  }

  private setTristate(extern: ExternState, letter: string): void {
    const { name, config } = extern.spec;
    if (!config) return;
    const where = `extern (kcfg) '${name}': value '${letter}' implies `;
    if (config.type === 'bool') {
      if (letter === 'm') this.refuse(`${where}tristate or char type`);
      this.bytes[config.offset] = letter === 'y' ? 1 : 0;
    } else if (config.type === 'tristate') {
      this.view.setUint32(config.offset, TRISTATE[letter], true);
    } else if (config.type === 'char') {
      this.bytes[config.offset] = letter.charCodeAt(0);
    } else {
      this.refuse(`${where}bool, tristate, or char type`);
    }
    extern.resolved = true;
  }

  private setText(extern: ExternState, value: string): void {
    const { name, config } = extern.spec;
    if (!config) return;
    if (config.type !== 'chars') {
      this.refuse(`extern (kcfg) '${name}': value '${value}' implies char array type`);
    }
    const text = new TextEncoder().encode(value);
    if (text.length < 2 || text[text.length - 1] !== 0x22) {
      this.refuse(`extern (kcfg) '${name}': invalid string config '${value}'`);
    }
    let length = text.length - 2;
    if (length >= config.size) {
      this.state.messages.warn(
        `extern (kcfg) '${name}': long string '${value}' of (${length} bytes) truncated to ${config.size - 1} bytes`,
      );
      length = config.size - 1;
    }
    this.bytes.set(text.subarray(1, 1 + length), config.offset);
    this.bytes[config.offset + length] = 0;
    extern.resolved = true;
  }

  /** Takes a line such as CONFIG_HZ=250; throws ObjectError when it does not fit the extern of that name. */
  private setLine(line: string, externs: ReadonlyMap<string, ExternState>): void {
    if (!line.startsWith('CONFIG_')) return;
    const equals = line.indexOf('=');
    if (equals < 0) this.refuse(`failed to parse '${line}': no separator`);
    const value = line.slice(equals + 1);
    if (value === '') this.refuse(`failed to parse '${line}': no value`);
    const extern = externs.get(line.slice(0, equals));
    if (!extern || extern.resolved) return;
    const { name, config } = extern.spec;
    if (/^[ynm]/.test(value)) {
      this.setTristate(extern, value[0]);
    } else if (value.startsWith('"')) {
      this.setText(extern, value);
    } else {
      const number = parseUnsigned(value);
      if (number === undefined) {
        this.state.messages.warn(`failed to parse '${value}' as integer completely`);
        this.refuse(`extern (kcfg) '${name}': value '${value}' isn't a valid integer`);
      }
      if (config?.type !== 'int' && config?.type !== 'char') {
        this.refuse(`extern (kcfg) '${name}': value '${value}' implies integer type`);
      }
      this.setNumber(extern, number);
    }
    this.state.messages.debug(() => `extern (kcfg) '${name}': set to ${value}`);
  }

  /** Reads the kernel's configuration; throws ObjectError. */
  readConfig(): void {
    const { kernel, messages, externs } = this.state;
    const text = configText(kernel);
    if (text === undefined) this.refuse('failed to open system Kconfig');
    const byName = new Map<string, ExternState>();
    for (const extern of externs) if (!byName.has(extern.spec.name)) byName.set(extern.spec.name, extern);
    for (const line of text.split('\n')) {
      try {
        this.setLine(line, byName);
      } catch (error) {
        if (!(error instanceof ObjectError)) throw error;
        messages.warn(`error parsing system Kconfig line '${line}': ${errstr(error.errno)}`);
        throw new ObjectError(EINVAL);
      }
    }
  }
}

/** strtoull with base 0: decimal, 0x… or octal with a leading 0; undefined for anything else. */
function parseUnsigned(text: string): bigint | undefined {
  const match = /^([+-]?)(0[xX][0-9a-fA-F]+|\d+)$/.exec(text);
  if (!match) return undefined;
  const [, sign, digits] = match;
  if (/^0\d/.test(digits) && !/^0[0-7]+$/.test(digits)) return undefined;
  const value = BigInt(/^0\d/.test(digits) ? `0o${digits.slice(1)}` : digits);
  if (value > 0xffffffffffffffffn) return undefined;
  return BigInt.asUintN(64, sign === '-' ? -value : value);
}
