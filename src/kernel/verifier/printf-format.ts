// Format strings of bpf_snprintf and its like. Rule: bpf_bprintf_prepare, helpers.c, 6.18.

const isSpace = (c: number): boolean => c === 0x20 || (c >= 0x09 && c <= 0x0d);
const isPrint = (c: number): boolean => c >= 0x20 && c <= 0x7e;
const isAlnum = (c: number): boolean =>
  (c >= 0x30 && c <= 0x39) || (c >= 0x41 && c <= 0x5a) || (c >= 0x61 && c <= 0x7a);
const isPunct = (c: number): boolean => isPrint(c) && c !== 0x20 && !isAlnum(c);
const ends = (c: number): boolean => c === 0 || isSpace(c) || isPunct(c);

class Format {
  private at = 0;
  private readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  private byte(ahead = 0): number {
    return this.bytes[this.at + ahead] ?? 0;
  }

  private is(chars: string, ahead = 0): boolean {
    const c = this.byte(ahead);
    return c !== 0 && c < 0x80 && chars.includes(String.fromCharCode(c));
  }

  check(args: number): boolean {
    let used = 0;
    for (; this.at < this.bytes.length; this.at++) {
      const c = this.byte();
      if (c < 0x80 && !isPrint(c) && !isSpace(c)) return false;
      if (!this.is('%')) continue;
      if (this.is('%', 1)) {
        this.at++;
        continue;
      }
      if (used >= args) return false;
      this.at++;
      if (this.byte() >= 0x80 || !this.conversion()) return false;
      used++;
    }
    return true;
  }

  /** Behind a "%": leaves `at` on the conversion's last character. */
  private conversion(): boolean {
    while (this.is('0+- ')) this.at++;
    if (this.is('123456789')) {
      this.at++;
      while (this.is('0123456789')) this.at++;
    }
    if (this.is('p')) return this.pointer();
    if (this.is('s')) return ends(this.byte(1));
    if (this.is('c')) return true;
    for (let i = 0; i < 2; i++) if (this.is('l')) this.at++;
    return this.is('iduxX');
  }

  private pointer(): boolean {
    if (ends(this.byte(1))) return true;
    if (this.is('ku', 1) && this.is('s', 2)) {
      this.at += 2;
      return ends(this.byte(1));
    }
    if (this.is('KxsSB', 1)) {
      this.at++;
      return true;
    }
    if (!this.is('iI', 1) || !this.is('46', 2)) return false;
    this.at += 2;
    return true;
  }
}

/**
 * Whether Linux accepts a format for `args` arguments; `bytes` is the string and what follows its NUL, which must be
 * there.
 */
export function isValidFormat(bytes: Uint8Array, args: number): boolean {
  const end = bytes.indexOf(0);
  return end >= 0 && new Format(bytes.subarray(0, end)).check(args);
}
