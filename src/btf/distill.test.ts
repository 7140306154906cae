import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Btf, BtfError } from './btf.ts';
import { distillBase } from './distill.ts';
import { BtfBuilder } from './encode.ts';
import { BTF_KIND } from './kinds.ts';
import { relocateBtf } from './relocate.ts';

const read = (name: string, base?: Btf): Btf =>
  Btf.parse(new Uint8Array(readFileSync(new URL(`../../testdata/btf-files/${name}`, import.meta.url))), base);

const base = read('base.btf');
const split = read('split.btf', base);

/** Every type of the split part, with the names of what it refers to instead of ids. */
const texts = (btf: Btf): string[] => {
  const name = (id: number, depth = 0): string => {
    const own = `${btf.kind(id)} ${btf.name(id)}`;
    const kind = btf.kind(id);
    const refers = kind === BTF_KIND.PTR || (kind >= BTF_KIND.TYPEDEF && kind <= BTF_KIND.RESTRICT);
    return refers && depth < 4 ? `${own} of ${name(btf.type(id), depth + 1)}` : own;
  };
  const all: string[] = [];
  for (let id = btf.firstId; id < btf.count; id++) {
    const members =
      btf.kind(id) === BTF_KIND.STRUCT
        ? Array.from({ length: btf.vlen(id) }, (_, i) => `${btf.memberName(id, i)}: ${name(btf.memberType(id, i))}`)
        : [];
    all.push(`${name(id)} {${members.join('; ')}}`);
  }
  return all;
};

describe('a distilled base', () => {
  test('and the types on top of it are, byte for byte, what libbpf makes of them', () => {
    const { base: small, split: upper } = distillBase(split);
    expect(Buffer.from(small.bytes)).toEqual(Buffer.from(read('distilled-base.btf').bytes));
    expect(Buffer.from(upper.bytes)).toEqual(Buffer.from(read('distilled-split.btf', small).bytes));
  });

  test('has no members and only what is referred to', () => {
    const { base: small } = distillBase(split);
    expect(small.count).toBeLessThan(base.count);
    const big = small.find('big', BTF_KIND.STRUCT);
    expect([small.vlen(big), small.size(big)]).toEqual([0, base.size(base.find('big', BTF_KIND.STRUCT))]);
  });

  test('needs a base', () => {
    expect(() => distillBase(base)).toThrow(BtfError);
  });
});

describe('relocation', () => {
  test('onto the base that was distilled gives the same types again', () => {
    const again = relocateBtf(distillBase(split).split, base);
    expect(again.base).toBe(base);
    expect(texts(again)).toEqual(expect.arrayContaining(texts(split)));
  });

  test('onto another base finds types by name', () => {
    const other = read('other.btf');
    const moved = relocateBtf(distillBase(split).split, other);
    const mine = moved.find('mine', BTF_KIND.STRUCT);
    expect(moved.name(moved.memberType(mine, 0))).toBe('big');
    expect(moved.memberType(mine, 0)).toBe(other.find('big', BTF_KIND.STRUCT));
  });

  test.each([
    ['larger.btf', "distilled base BTF type 'big' [2] is not mapped to base BTF id"],
    ['missing.btf', 'is not mapped to base BTF id'],
  ])('onto %s, where a type is missing or of another size, fails', (name, message) => {
    expect(() => relocateBtf(distillBase(split).split, read(name))).toThrow(message);
  });

  test('fails where two types of the base fit alike', () => {
    const builder = BtfBuilder.from(base);
    builder.addStruct('fl', base.size(base.find('fl')), []);
    const twice = Btf.parse(builder.bytes());
    expect(() => relocateBtf(distillBase(split).split, twice)).toThrow('has multiple candidates of the same size');
  });

  test.each([
    ['a base with a pointer', (b: BtfBuilder) => b.addPtr(0), 'unexpected kind [2]'],
    ['a base with a nameless struct', (b: BtfBuilder) => b.addStruct('', 4, []), 'it is anonymous'],
  ])('%s is no distilled one', (_what, add, message) => {
    const builder = new BtfBuilder();
    add(builder);
    const odd = Btf.parse(builder.bytes());
    expect(() => relocateBtf(Btf.parse(new BtfBuilder(odd).bytes(), odd), base)).toThrow(message);
  });
});
