import { describe, expect, it } from 'vitest';
import { decodeInsns } from '../../isa/insn.ts';
import { programTag } from './tag.ts';

const tagOf = (text: string): string => Buffer.from(programTag(decodeInsns(Buffer.from(text, 'hex')))).toString('hex');

describe('programTag', () => {
  it('is the beginning of the SHA-256 of the instructions', () => {
    expect(tagOf('b7000000000000009500000000000000')).toBe('59f4a931744dcdc6');
    expect(tagOf('b7000000010000009500000000000000')).toBe('b11459a0e11ca14c');
  });

  it('does not depend on map descriptors and value offsets', () => {
    const exit = '9500000000000000';
    expect(tagOf(`18110000050000000000000000000000${exit}`)).toBe(tagOf(`18110000090000000000000000000000${exit}`));
    expect(tagOf(`18220000050000000000000008000000${exit}`)).toBe(tagOf(`18220000090000000000000010000000${exit}`));
  });

  it('depends on indexes in an array of descriptors, on BTF ids and on plain immediates', () => {
    const exit = '9500000000000000';
    for (const src of ['50', '60', '30', '00']) {
      const tags = ['05', '09'].map((imm) => tagOf(`18${src}0000${imm}0000000000000000000000${exit}`));
      expect(tags[0]).not.toBe(tags[1]);
    }
  });
});
