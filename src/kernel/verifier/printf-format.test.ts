import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isValidFormat } from './printf-format.ts';

const bytes = (text: string): Uint8Array => Buffer.from(`${text}\0`, 'latin1');

describe('isValidFormat', () => {
  const accepted: [string, number][] = [
    ['', 0],
    ['plain text\n\t', 0],
    ['100%%', 0],
    ['%d %i %u %x %X', 5],
    ['%ld %llu %lx', 3],
    ['%5d|%-12u|%08x|%+ d', 4],
    ['%c%s', 2],
    ['%p, %pK %px %ps %pS %pB', 6],
    ['%pks %pus', 2],
    ['%pi4 %pI4 %pi6 %pI6', 4],
    ['latin1 \xe9 %d', 1],
    ['%d and two that nobody reads', 3],
  ];
  it.each(accepted)('takes "%s" with %i arguments', (format, args) => {
    expect(isValidFormat(bytes(format), args)).toBe(true);
  });

  const refused: [string, number][] = [
    ['%', 1],
    ['%d', 0],
    ['%d %d', 1],
    ['%y', 1],
    ['%lc', 1],
    ['%llld', 1],
    ['%.3d', 1],
    ['%#x', 1],
    ['%*d', 2],
    ['%pz', 1],
    ['%pI5', 1],
    ['%pu', 1],
    ['%pusx', 1],
    ['%sx', 1],
    ['%\xe9', 1],
    ['bell \x07', 0],
  ];
  it.each(refused)('refuses "%s" with %i arguments', (format, args) => {
    expect(isValidFormat(bytes(format), args)).toBe(false);
  });

  it('refuses a format without an end', () => {
    expect(isValidFormat(Buffer.from('abc'), 0)).toBe(false);
  });

  it('looks no further than the end', () => {
    expect(isValidFormat(Buffer.from('ok\0%y\x01'), 0)).toBe(true);
  });

  it('needs one argument for each conversion, whatever stands between them', () => {
    const conversion = fc.constantFrom('%d', '%llx', '%s', '%c', '%p', '%pI6', '%08u', '%pks');
    const pieces = fc.array(fc.tuple(conversion, fc.constantFrom(' ', ', ', '\n', '%%')), { maxLength: 8 });
    fc.assert(
      fc.property(pieces, (list) => {
        const format = bytes(list.flat().join(''));
        expect(isValidFormat(format, list.length)).toBe(true);
        expect(isValidFormat(format, list.length - 1)).toBe(list.length === 0);
      }),
    );
  });

  it('answers whatever the bytes are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 24 }), fc.nat(12), (random, args) => {
        const answer = isValidFormat(random, args);
        if (!random.includes(0)) expect(answer).toBe(false);
        else if (answer) expect(isValidFormat(random, args + 1)).toBe(true);
      }),
    );
  });
});
