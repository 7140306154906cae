import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BTF_KIND, Btf, BtfError } from './btf.ts';
import { BtfBuilder } from './encode.ts';

const data = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(`../../testdata/btf/${name}`, import.meta.url)));

describe('new data', () => {
  test('has the bytes that libbpf 1.8 writes', () => {
    const builder = new BtfBuilder();
    builder.addInt('u64', 8);
    builder.addPtr(1);
    expect(Buffer.from(builder.bytes()).toString('hex')).toBe(
      '9feb010020000000000000001c0000001c00000005000000' +
        '0000000000000000010000000000000108000000400000000000000000000002010000000075363400',
    );
  });

  test('every kind can be read back', () => {
    const b = new BtfBuilder();
    const int = b.addInt('int', 4, 1);
    const bits = b.addInt('bits', 4, 0, 5, 2);
    const ptr = b.addPtr(int);
    const array = b.addArray(ptr, int, 7);
    const struct = b.addStruct('s', 8, [
      { name: 'a', type: int, bitOffset: 0 },
      { name: 'b', type: int, bitOffset: 33, bitSize: 5 },
    ]);
    const union = b.addUnion('', 4, [{ name: 'q', type: int, bitOffset: 0 }]);
    const en = b.addEnum('e', 4, [{ name: 'M', value: -1n }]);
    const wide = b.addEnum64('w', 8, [{ name: 'W', value: 1n << 40n }]);
    const fwd = b.addFwd('f', true);
    const proto = b.addFuncProto(int, [
      { name: 'x', type: ptr },
      { name: '', type: 0 },
    ]);
    const func = b.addFunc('fn', 1, proto);
    const variable = b.addVar('v', 2, int);
    const section = b.addDatasec('.data', 12, [{ type: variable, offset: 4, size: 8 }]);
    const tag = b.addDeclTag('tag', struct, 1);
    const typeTag = b.addTypeTag('user', int);
    const float = b.addFloat('double', 8);
    const btf = Btf.parse(b.bytes());

    expect([btf.intBits(bits), btf.intOffset(bits), btf.intEncoding(int)]).toEqual([5, 2, 1]);
    expect([btf.arrayElem(array), btf.arrayIndexType(array), btf.arrayLength(array)]).toEqual([ptr, int, 7]);
    expect([btf.memberBitOffset(struct, 1), btf.memberBitSize(struct, 1), btf.memberBitSize(struct, 0)]).toEqual([
      33, 5, 0,
    ]);
    expect([btf.kind(union), btf.kflag(union), btf.name(union)]).toEqual([BTF_KIND.UNION, false, '']);
    expect([btf.enumValue(en, 0), btf.enumValue(wide, 0)]).toEqual([-1n, 1n << 40n]);
    expect([btf.kind(fwd), btf.kflag(fwd)]).toEqual([BTF_KIND.FWD, true]);
    expect([btf.type(func), btf.linkage(func), btf.vlen(proto), btf.type(proto)]).toEqual([proto, 1, 2, int]);
    expect([btf.linkage(variable), btf.secOffset(section, 0), btf.secSize(section, 0)]).toEqual([2, 4, 8]);
    expect([btf.type(tag), btf.tagComponent(tag), btf.name(typeTag), btf.size(float)]).toEqual([struct, 1, 'user', 8]);
  });

  test('a string is kept once, a string of the base not at all', () => {
    const first = new BtfBuilder();
    first.addInt('int', 4);
    first.addTypedef('int', 1);
    const base = Btf.parse(first.bytes());
    expect(base.stringEnd).toBe('\0int\0'.length);
    const second = new BtfBuilder(base);
    expect(second.addTypedef('int', 1)).toBe(3);
    second.addTypedef('own', 3);
    const split = Btf.parse(second.bytes(), base);
    expect([split.name(3), split.name(4), split.stringEnd - base.stringEnd]).toEqual(['int', 'own', 4]);
  });

  test('what BTF cannot hold is refused', () => {
    const b = new BtfBuilder();
    expect(() => b.addTypedef('a\0b', 0)).toThrow(BtfError);
    expect(() => b.addStruct('s', 4, [{ name: 'm', type: 0, bitOffset: 2 ** 24, bitSize: 1 }])).toThrow(BtfError);
    expect(() => b.edit(1, { name: 'x' })).toThrow(BtfError);
  });

  test('any strings come back as they were', () => {
    const name = fc.string({ unit: 'grapheme' }).filter((s) => !s.includes('\0'));
    fc.assert(
      fc.property(fc.array(name, { maxLength: 20 }), (list) => {
        const b = new BtfBuilder();
        const ids = list.map((text) => b.addTypedef(text, 0));
        const btf = Btf.parse(b.bytes());
        expect(ids.map((id) => btf.name(id))).toEqual(list);
        for (const text of list) if (text) expect(btf.findAll(text)).toEqual(ids.filter((_, i) => list[i] === text));
      }),
      { numRuns: 50 },
    );
  });
});

describe('changing what was read', () => {
  test('nothing changed gives the same bytes', () => {
    for (const name of ['base.btf', 'odd-1.btf', 'odd-5.btf']) {
      const bytes = data(name);
      expect(Buffer.compare(BtfBuilder.from(Btf.parse(bytes)).bytes(), bytes)).toBe(0);
    }
  });

  test('fields change in place, everything else stays', () => {
    const b = new BtfBuilder();
    b.addInt('int', 4);
    const variable = b.addVar('v', 1, 1);
    const section = b.addDatasec('.data', 0, [{ type: variable, offset: 0, size: 4 }]);
    const before = b.bytes();
    const patch = BtfBuilder.from(Btf.parse(before));
    patch.edit(section, { third: 64 });
    patch.editVariable(section, 0, { offset: 60 });
    patch.editWord(variable, 0, 0);
    const after = patch.bytes();
    const btf = Btf.parse(after);
    expect([btf.size(section), btf.secOffset(section, 0), btf.secSize(section, 0), btf.linkage(variable)]).toEqual([
      64, 60, 4, 0,
    ]);
    const changed = [...after.keys()].filter((i) => after[i] !== before[i]);
    expect(after.length).toBe(before.length);
    expect(changed.length).toBe(3);
  });

  test('a type may become another kind of the same shape only', () => {
    const b = new BtfBuilder();
    const func = b.addFunc('f', 1, 2);
    b.addFuncProto(0, []);
    const patch = BtfBuilder.from(Btf.parse(b.bytes()));
    patch.edit(func, { kind: BTF_KIND.TYPEDEF, vlen: 0, third: 0 });
    expect(Btf.parse(patch.bytes()).kind(func)).toBe(BTF_KIND.TYPEDEF);
    expect(() => patch.edit(func, { kind: BTF_KIND.ARRAY })).toThrow(BtfError);
    expect(() => patch.editWord(func, 0, 1)).toThrow(BtfError);
  });

  test('types added keep ids and header size of what was read', () => {
    const base = data('base.btf');
    const btf = Btf.parse(base);
    const b = BtfBuilder.from(btf);
    const id = b.addTypedef('a new name', 1);
    expect(id).toBe(btf.count);
    const grown = Btf.parse(b.bytes());
    expect(grown.bytes[4]).toBe(base[4]);
    expect(grown.name(id)).toBe('a new name');
    for (let i = 1; i < btf.count; i++) expect(grown.wordsOf(i)).toEqual(btf.wordsOf(i));
  });

  test('a type is copied from other BTF with its names, its references mapped', () => {
    const from = Btf.parse(data('base.btf'));
    const struct = from.find('shared', BTF_KIND.STRUCT);
    const b = new BtfBuilder();
    b.addInt('int', 4);
    b.copy(from, struct, () => 1);
    const btf = Btf.parse(b.bytes());
    const names = (source: Btf, id: number) =>
      Array.from({ length: source.vlen(id) }, (_, i) => source.memberName(id, i));
    expect(names(btf, 2)).toEqual(names(from, struct));
    expect(btf.memberType(2, 1)).toBe(1);
    expect(btf.size(2)).toBe(from.size(struct));
  });
});
