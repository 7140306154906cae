// Which names BTF may give. Letters are those of Latin-1, as the kernel's character table has them.

const MAX_NAME = 512;
const UNDERSCORE = 0x5f;
const DOT = 0x2e;
const TIMES = 0xd7;
const DIVIDED = 0xf7;

const within = (byte: number, from: string, to: string): boolean =>
  byte >= from.charCodeAt(0) && byte <= to.charCodeAt(0);
const isLetter = (byte: number): boolean =>
  within(byte, 'a', 'z') || within(byte, 'A', 'Z') || (byte >= 0xc0 && byte !== TIMES && byte !== DIVIDED);
const isDigit = (byte: number): boolean => within(byte, '0', '9');
const isPrintable = (byte: number): boolean => within(byte, ' ', '~') || byte >= 0xa0;

/** Letters, digits, underscores and dots, no digit first. rule: btf_name_valid_identifier, 6.18 */
export const isIdentifier = (name: Uint8Array): boolean =>
  name.length > 0 &&
  name.length <= MAX_NAME &&
  name.every((byte, i) => isLetter(byte) || byte === UNDERSCORE || byte === DOT || (i > 0 && isDigit(byte)));

/** Anything that can be printed. rule: btf_name_valid_section, 6.18 */
export const isSectionName = (name: Uint8Array): boolean =>
  name.length > 0 && name.length <= MAX_NAME && name.every(isPrintable);
