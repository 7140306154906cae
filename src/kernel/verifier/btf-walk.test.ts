import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Btf } from '../../btf/btf.ts';
import { BtfBuilder, type NewMember } from '../../btf/encode.ts';
import { ERRNO } from '../../errno.ts';
import { btfStructAccess, btfStructsMatch, WalkResult } from './btf-walk.ts';
import { VerifierLog } from './log.ts';
import { FLAG, REG, RegState } from './types.ts';

const kernel = Btf.parse(new BtfBuilder().bytes());

/** Reads behind a pointer to `struct`: register type, or errno, with flags and target. */
function access(btf: Btf, struct: string, off: number, size: number): [number, string, string] {
  const log = new VerifierLog(1, 4096);
  const reg = new RegState();
  reg.type = REG.BTF_ID | FLAG.TRUSTED;
  reg.btf = btf;
  reg.btfId = btf.find(struct);
  const result = new WalkResult();
  const type = btfStructAccess(log, kernel, reg, off, size, result);
  return [type, type === REG.BTF_ID ? btf.name(result.nextId) : '', log.finish()];
}

const b = new BtfBuilder();
const u8 = b.addInt('unsigned char', 1);
const u32 = b.addInt('unsigned int', 4);
const u64 = b.addInt('unsigned long', 8);
const other = b.addStruct('other', 16, [{ name: 'first', type: u64, bitOffset: 0 }]);
const pointer = b.addPtr(b.addRef(10, other));
const inner = b.addStruct('inner', 16, [
  { name: 'n', type: u32, bitOffset: 0 },
  { name: 'o', type: pointer, bitOffset: 64 },
]);
const choice = b.addUnion('', 8, [
  { name: 'number', type: u64, bitOffset: 0 },
  { name: 'link', type: pointer, bitOffset: 0 },
]);
b.addStruct('outer', 80, [
  { name: 'a', type: u32, bitOffset: 0 },
  { name: 'bits', type: u32, bitOffset: 32, bitSize: 5 },
  { name: 'in', type: inner, bitOffset: 64 },
  { name: 'many', type: b.addArray(inner, u32, 2), bitOffset: 192 },
  { name: '', type: choice, bitOffset: 448 },
  { name: 'text', type: b.addArray(u8, u32, 8), bitOffset: 512 },
  { name: 'tail', type: b.addArray(other, u32, 0), bitOffset: 640 },
]);
const btf = Btf.parse(b.bytes());
const at = (off: number, size: number): [number, string, string] => access(btf, 'outer', off, size);

describe('btfStructAccess', () => {
  it('reads numbers, whole or in part', () => {
    for (const [off, size] of [
      [0, 4],
      [2, 2],
      [8, 4],
      [64, 8],
      [66, 1],
    ]) {
      expect(at(off, size)).toEqual([REG.SCALAR, '', '']);
    }
  });

  it('follows pointers in structs and in elements of arrays', () => {
    expect(at(16, 8)).toEqual([REG.BTF_ID, 'other', '']);
    expect(at(32, 8)).toEqual([REG.BTF_ID, 'other', '']);
    expect(at(48, 8)).toEqual([REG.BTF_ID, 'other', '']);
  });

  it('reads behind the end into a flexible array', () => {
    expect(at(80, 8)).toEqual([REG.SCALAR, '', '']);
    expect(at(96 + 7, 1)).toEqual([REG.SCALAR, '', '']);
  });

  const refused: [number, number, string][] = [
    [2, 4, 'access beyond the end of member a (mend:4) in struct outer with off 2 size 4'],
    [12, 2, 'struct inner'],
    [16, 4, 'cannot access ptr member o with moff 8 in struct inner with off 8 size 4'],
    [20, 8, ''],
    [94, 4, 'access beyond'],
  ];
  it.each(refused)('refuses %i+%i', (off, size, text) => {
    const [type, , log] = at(off, size);
    expect([-ERRNO.EACCES, -ERRNO.EINVAL]).toContain(type);
    expect(log).toContain(text);
  });

  it('does not know which member of a union is meant', () => {
    const [type, , log] = at(56, 8);
    expect(log).toBe('');
    expect([REG.SCALAR, REG.BTF_ID, REG.MEM]).toContain(type & 0xff);
  });

  it('finds each number and pointer of any struct, and nothing between them', () => {
    const fields = fc.array(fc.constantFrom('u8', 'u32', 'u64', 'ptr', 'nested'), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(fields, fc.nat(100), fc.constantFrom(1, 2, 4, 8), (kinds, where, size) => {
        const build = new BtfBuilder();
        const ids = {
          u8: build.addInt('c', 1),
          u32: build.addInt('i', 4),
          u64: build.addInt('l', 8),
          ptr: 0,
          nested: 0,
        };
        const target = build.addStruct('target', 8, [{ name: 't', type: ids.u64, bitOffset: 0 }]);
        ids.ptr = build.addPtr(target);
        ids.nested = build.addStruct('nested', 16, [
          { name: 'p', type: ids.ptr, bitOffset: 0 },
          { name: 'q', type: ids.u32, bitOffset: 64 },
        ]);
        const bytes = { u8: 1, u32: 4, u64: 8, ptr: 8, nested: 16 };
        const align = { u8: 1, u32: 4, u64: 8, ptr: 8, nested: 8 };
        const members: NewMember[] = [];
        /** What is at each byte: where its field begins and ends, and whether it is a pointer. */
        const truth: ({ from: number; to: number; pointer: boolean } | undefined)[] = [];
        const put = (from: number, length: number, isPointer: boolean): void => {
          for (let i = 0; i < length; i++) truth[from + i] = { from, to: from + length, pointer: isPointer };
        };
        let end = 0;
        kinds.forEach((kind, i) => {
          end = Math.ceil(end / align[kind]) * align[kind];
          members.push({ name: `m${i}`, type: ids[kind], bitOffset: end * 8 });
          if (kind === 'nested') {
            put(end, 8, true);
            put(end + 8, 4, false);
          } else {
            put(end, bytes[kind], kind === 'ptr');
          }
          end += bytes[kind];
        });
        const total = Math.ceil(end / 8) * 8;
        build.addStruct('subject', total, members);
        const off = where % total;
        const [type, name] = access(Btf.parse(build.bytes()), 'subject', off, size);
        const field = truth[off];
        if (field === undefined || off + size > field.to) expect(type).toBeLessThan(0);
        else if (!field.pointer) expect(type).toBe(REG.SCALAR);
        else if (off === field.from && size === 8) expect([type, name]).toEqual([REG.BTF_ID, 'target']);
        else expect(type).toBeLessThan(0);
      }),
      { numRuns: 500 },
    );
  });
});

describe('btfStructsMatch', () => {
  const match = (off: number, need: string, strict = false): boolean =>
    btfStructsMatch(new VerifierLog(0, 0), btf, btf.find('outer'), off, btf, btf.find(need), strict);

  it('holds for the struct itself and for one that begins there', () => {
    expect(match(0, 'outer')).toBe(true);
    expect(match(8, 'inner')).toBe(true);
    expect(match(24 + 16, 'inner')).toBe(true);
  });

  it('does not hold elsewhere, nor for parts where it must be the struct itself', () => {
    expect(match(4, 'outer')).toBe(false);
    expect(match(12, 'inner')).toBe(false);
    expect(match(8, 'other')).toBe(false);
    expect(match(8, 'inner', true)).toBe(false);
  });
});
