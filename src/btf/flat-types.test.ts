import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Btf } from './btf.ts';
import { BTF_KIND } from './kinds.ts';
import { readWithRoom } from './room.ts';

const path = (name: string): string => new URL(`../../testdata/btf/${name}`, import.meta.url).pathname;
const base = Btf.parse(readFileSync(path('base.btf')));

/** Everything that both tell of every type. */
const told = (types: Btf | ReturnType<Btf['flat']>, count: number): unknown[] =>
  Array.from({ length: count }, (_, id) => {
    const kind = types.kind(id);
    const members = kind === BTF_KIND.STRUCT || kind === BTF_KIND.UNION ? types.vlen(id) : 0;
    return [
      [kind, types.vlen(id), types.kflag(id), types.nameOffset(id), types.type(id), types.size(id)],
      kind === BTF_KIND.ARRAY ? [types.arrayElem(id), types.arrayLength(id)] : [],
      Array.from({ length: members }, (_, i) => [
        types.memberType(id, i),
        types.memberBitOffset(id, i),
        types.memberBitSize(id, i),
      ]),
      [types.resolveSize(id), types.align(id)],
    ];
  });

describe('flat types', () => {
  test.each([
    ['odd-1.btf', undefined],
    ['split.btf', base],
  ])('%s says the same type by type', (file, under) => {
    const btf = Btf.parse(readFileSync(path(file)), under);
    const flat = btf.flat();
    expect(flat.count).toBe(btf.count);
    expect(told(flat, btf.count)).toEqual(told(btf, btf.count));
    for (let id = 0; id < btf.count; id++) expect(flat.strings.at(flat.nameOffset(id))).toBe(btf.name(id));
  });
});

describe('data with room behind it', () => {
  test.each(['base.btf', 'odd-1.btf', 'odd-4.btf'])('%s is the same in place and copied', (file) => {
    const inPlace = Btf.parse(readWithRoom(path(file)));
    const copied = Btf.parse(new Uint8Array(readFileSync(path(file))).slice());
    expect(inPlace.wordsOf(1).buffer).toBe(inPlace.bytes.buffer);
    expect(copied.wordsOf(1).buffer).not.toBe(copied.bytes.buffer);
    expect(told(inPlace, inPlace.count)).toEqual(told(copied, copied.count));
  });

  test('what is behind the data is left alone unless it is zeros', () => {
    const data = readFileSync(path('base.btf'));
    const all = Buffer.alloc(data.length + 32, 0xff);
    data.copy(all);
    expect(told(Btf.parse(all.subarray(0, data.length)), base.count)).toEqual(told(base, base.count));
  });

  test('a file that is none or a folder fails as it does elsewhere', () => {
    expect(() => readWithRoom(path('nothing'))).toThrow('ENOENT');
    expect(() => readWithRoom(path('.'))).toThrow('EISDIR');
  });
});
