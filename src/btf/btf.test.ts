import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BTF_KIND, Btf, BtfError } from './btf.ts';
import { dumpC } from './dump-c.ts';
import { dumpRaw } from './dump-raw.ts';
import { BtfBuilder } from './encode.ts';
import { parseBtfFile } from './file.ts';
import { readSections } from './header.ts';

const data = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(`../../testdata/btf/${name}`, import.meta.url)));
const open = (name: string): Btf => parseBtfFile(data(name), name);

/** Swaps every field of BTF to the other byte order. */
const bigEndian = (bytes: Uint8Array): Uint8Array => {
  const out = Buffer.from(bytes);
  const { types } = readSections(bytes, false);
  out.subarray(0, 2).swap16();
  out.subarray(4, out.readUInt32LE(4)).swap32();
  out.subarray(types.start, types.start + types.length).swap32();
  return new Uint8Array(out);
};

describe('reading types', () => {
  const names = open('names.o');
  const layouts = open('layouts.o');

  test('void is a type without anything', () => {
    expect([names.kind(0), names.name(0), names.vlen(0), names.kflag(0), names.resolveSize(0)]).toEqual([
      0,
      '',
      0,
      false,
      -1,
    ]);
  });

  test('ids end at count', () => {
    for (const id of [names.count, -1, 1.5, Number.NaN, 2 ** 32]) expect(() => names.kind(id)).toThrow(BtfError);
    expect(names.kind(names.count - 1)).toBeGreaterThan(0);
  });

  test('strings end at the end of their section', () => {
    expect(names.str(0)).toBe('');
    for (const offset of [names.stringEnd, -1, 2 ** 31]) expect(() => names.str(offset)).toThrow(BtfError);
  });

  test('members keep names, types, offsets and bitfield sizes', () => {
    const bits = layouts.find('bits', BTF_KIND.STRUCT);
    expect(layouts.kflag(bits)).toBe(true);
    expect(layouts.size(bits)).toBe(16);
    const members = Array.from({ length: layouts.vlen(bits) }, (_, i) => [
      layouts.memberName(bits, i),
      layouts.name(layouts.memberType(bits, i)),
      layouts.memberBitOffset(bits, i),
      layouts.memberBitSize(bits, i),
    ]);
    expect(members).toEqual([
      ['a', 'u32', 0, 3],
      ['b', 'u32', 8, 7],
      ['c', 'int', 15, 17],
      ['d', 'u8', 32, 1],
      ['e', 'u8', 33, 7],
      ['f', 'u64', 64, 33],
      ['g', 'u64', 97, 31],
    ]);
  });

  test('enumerators are negative only where the enumeration is signed', () => {
    const values = (name: string) => {
      const id = names.find(name);
      return Array.from({ length: names.vlen(id) }, (_, i) => `${names.enumName(id, i)}=${names.enumValue(id, i)}`);
    };
    expect(values('e32')).toEqual(['A=0', 'B=7', 'C=4294967295']);
    expect(values('es')).toEqual(['N=-3', 'P=4']);
    expect(values('e64u')).toEqual(['BIG=8589934591', 'SMALL=1']);
    expect(values('e64s')).toEqual(['NEG=-8589934591', 'POS=3']);
  });

  test('variables, sections, functions and tags are read', () => {
    const section = names.find('.data.custom', BTF_KIND.DATASEC);
    const variable = names.secType(section, 0);
    expect([names.vlen(section), names.name(variable), names.linkage(variable), names.secSize(section, 0)]).toEqual([
      1,
      'custom',
      1,
      4,
    ]);
    const prog = names.find('prog', BTF_KIND.FUNC);
    const proto = names.type(prog);
    expect(names.linkage(prog)).toBe(1);
    expect([0, 1].map((i) => names.paramName(proto, i))).toEqual(['ctx', 'arg']);
    expect(names.kind(names.paramType(proto, 0))).toBe(BTF_KIND.PTR);
    const tag = names.find('member_tag');
    expect([names.name(names.type(tag)), names.tagComponent(tag)]).toEqual(['tagged', 3]);
    expect(names.tagComponent(names.find('fn_tag'))).toBe(-1);
  });

  test('arrays, ints and references are read', () => {
    const holder = layouts.find('multi');
    const array = layouts.memberType(holder, 0);
    expect(layouts.kind(array)).toBe(BTF_KIND.ARRAY);
    expect(layouts.arrayLength(array)).toBe(2);
    expect(layouts.name(layouts.arrayIndexType(array))).toBe('__ARRAY_SIZE_TYPE__');
    expect(layouts.resolveSize(array)).toBe(2 * 3 * 4 * 4);
    const int = layouts.find('int');
    expect([layouts.intEncoding(int), layouts.intOffset(int), layouts.intBits(int)]).toEqual([1, 0, 32]);
    expect(layouts.intEncoding(layouts.find('_Bool'))).toBe(4);
  });

  test('a name may belong to several types, and the kind chooses', () => {
    const kinds = names.findAll('clash').map((id) => names.kind(id));
    expect(kinds.toSorted((a, b) => a - b)).toEqual([BTF_KIND.STRUCT, BTF_KIND.TYPEDEF]);
    expect(names.kind(names.find('clash', BTF_KIND.TYPEDEF))).toBe(BTF_KIND.TYPEDEF);
    expect(names.find('clash', BTF_KIND.UNION)).toBe(0);
    expect(names.find('nothing of that name')).toBe(0);
    expect(names.find('')).toBe(0);
  });

  test('sizes and alignments follow the layout', () => {
    const of = (name: string) => {
      const id = layouts.find(name, BTF_KIND.STRUCT);
      return [layouts.resolveSize(id), layouts.align(id)];
    };
    expect(of('holes')).toEqual([32, 8]);
    expect(of('packed')).toEqual([15, 1]);
    expect(of('empty')).toEqual([0, 1]);
    expect(of('tail_pad')).toEqual([16, 8]);
  });

  test('offsets of members are found through anonymous structs and dots', () => {
    expect(layouts.offsetOf('nest', 'in.a')).toBe(0);
    expect(layouts.offsetOf('nest', 'in.c')).toBe(4);
    expect(layouts.offsetOf('nest', 'in.f.e')).toBe(5);
    expect(layouts.offsetOf('nest', 'q')).toBe(16);
    expect(layouts.offsetOf('u', 'd')).toBe(8);
    expect(() => layouts.offsetOf('nest', 'none')).toThrow("no member 'none' in 'nest'");
    expect(() => layouts.offsetOf('none', 'a')).toThrow("no struct or union 'none'");
    expect(() => layouts.offsetOf('bits', 'c')).toThrow(BtfError);
  });

  test('typedefs and modifiers are stepped over', () => {
    const variable = names.find('ro', BTF_KIND.VAR);
    expect(names.kind(names.type(variable))).toBe(BTF_KIND.CONST);
    expect(names.name(names.skipMods(names.type(variable)))).toBe('int');
    expect(names.name(names.skipModsAndTypedefs(names.find('td_tagged', BTF_KIND.TYPEDEF)))).toBe('int');
  });
});

describe('split BTF', () => {
  const base = open('base.btf');
  const split = Btf.parse(data('split.btf'), base);

  test('ids and strings continue those of the base', () => {
    expect(split.firstId).toBe(base.count);
    expect(split.name(split.find('shared'))).toBe('shared');
    expect(split.find('shared')).toBe(base.find('shared'));
    expect(split.find('fresh')).toBeGreaterThanOrEqual(base.count);
    expect(split.offsetOf('fresh', 'in.next')).toBe(8);
  });

  test('a type may take its name from the base', () => {
    expect(split.findAll('either')).toEqual([base.find('either'), split.find('either', BTF_KIND.TYPEDEF)]);
    expect(split.find('either', BTF_KIND.TYPEDEF)).toBeGreaterThanOrEqual(base.count);
  });

  test('without its base it is refused', () => {
    expect(() => Btf.parse(data('split.btf'))).toThrow('did you forget to provide base BTF?');
  });
});

describe('byte order', () => {
  test('BTF of the other byte order says the same', () => {
    const bytes = data('odd-1.btf');
    const text = (btf: Btf): string => {
      let out = '';
      dumpRaw(btf, {
        write: (piece) => {
          out += piece;
        },
      });
      return out;
    };
    expect(text(Btf.parse(bigEndian(bytes)))).toBe(text(Btf.parse(bytes)));
  });
});

describe('malformed data', () => {
  const good = (): BtfBuilder => {
    const builder = new BtfBuilder();
    builder.addInt('int', 4, 1);
    return builder;
  };
  const bad = (make: (builder: BtfBuilder) => void): Uint8Array => {
    const builder = good();
    make(builder);
    return builder.bytes();
  };

  test('what is not BTF says why', () => {
    expect(() => Btf.parse(new Uint8Array(3))).toThrow('BTF header not found');
    expect(() => Btf.parse(new Uint8Array(100))).toThrow('Invalid BTF magic');
  });

  test('ids out of range are named with the type that has them', () => {
    const cases: [(builder: BtfBuilder) => void, string][] = [
      [(b) => b.addPtr(9), 'btf: type [2]: invalid referenced type ID 9'],
      [(b) => b.addArray(1, 77, 3), 'btf: type [2]: invalid referenced type ID 77'],
      [(b) => b.addPtr(-1), 'btf: type [2]: invalid referenced type ID 4294967295'],
      [(b) => b.addFuncProto(0, [{ name: 'x', type: 5 }]), 'btf: type [2]: invalid referenced type ID 5'],
      [(b) => b.addDatasec('.d', 4, [{ type: 3, offset: 0, size: 4 }]), 'btf: type [2]: invalid referenced type ID 3'],
      [(b) => b.addFunc('f', 1, 1), 'btf: type [2]: referenced type [1] is not FUNC_PROTO'],
      [(b) => b.addStruct('s', 4, [{ name: 'm', type: 4, bitOffset: 0 }]), 'invalid referenced type ID 4'],
    ];
    for (const [make, message] of cases) expect(() => Btf.parse(bad(make))).toThrow(message);
  });

  test('names out of range are named with the type that has them', () => {
    const bytes = bad((b) => b.addStruct('s', 4, [{ name: 'm', type: 1, bitOffset: 0 }]));
    const view = new DataView(bytes.buffer);
    const struct = 32 + 16;
    view.setUint32(struct + 12, 1000, true);
    expect(() => Btf.parse(bytes)).toThrow('btf: type [2]: invalid field name (string offset 1000)');
    view.setUint32(struct, 0xffffffff, true);
    expect(() => Btf.parse(bytes)).toThrow('btf: type [2]: invalid type name (string offset 4294967295)');
  });

  test('a type that runs over the end of its section is refused', () => {
    const bytes = good().bytes();
    new DataView(bytes.buffer).setUint32(32 + 4, (BTF_KIND.STRUCT << 24) | 0xffffff, true);
    expect(() => Btf.parse(bytes)).toThrow('BTF type [1] is malformed');
    new DataView(bytes.buffer).setUint32(32 + 4, 100 << 24, true);
    expect(() => Btf.parse(bytes)).toThrow('Unsupported BTF_KIND: 100');
  });

  test('types that refer to themselves end in an error, not in a loop', () => {
    const builder = good();
    const loop = builder.addRef(BTF_KIND.CONST, 2);
    const self = builder.addStruct('self', 8, [{ name: 'in', type: 3, bitOffset: 0 }]);
    const btf = Btf.parse(builder.bytes());
    expect(() => btf.skipMods(loop)).toThrow(BtfError);
    expect(btf.resolveSize(loop)).toBe(-1);
    expect(() => btf.align(self)).toThrow(BtfError);
    expect(() => btf.align(loop)).toThrow(BtfError);
    expect(() => btf.offsetOf('self', 'in.in.nothing')).toThrow(BtfError);
  });

  test('nesting deeper than any stack ends in an error', () => {
    const builder = good();
    for (let i = 0; i < 20_000; i++) builder.addStruct('', 4, [{ name: 'm', type: i + 1, bitOffset: 0 }]);
    const btf = Btf.parse(builder.bytes());
    expect(() => btf.align(btf.count - 1)).toThrow(BtfError);
    expect(() => dumpC(btf, { roots: [btf.count - 1], write: () => {}, warn: () => {} })).toThrow(BtfError);
  });

  test('alignment of types that double at each level is found at once', () => {
    const builder = good();
    for (let i = 0; i < 200; i++) {
      const member = { type: i + 1, bitOffset: 0 };
      builder.addUnion('', 4, [
        { name: 'a', ...member },
        { name: 'b', ...member },
      ]);
    }
    expect(Btf.parse(builder.bytes()).align(201)).toBe(4);
  });

  const sources = ['odd-1.btf', 'odd-4.btf', 'base.btf'].map(data);
  const change = fc.record({ at: fc.nat(), byte: fc.nat(255) });
  test('any damage gives BtfError or readable types, never another error', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...sources),
        fc.array(change, { minLength: 1, maxLength: 6 }),
        fc.option(fc.nat()),
        (source, changes, cut) => {
          const bytes = source.slice(0, cut === null ? undefined : cut % source.length);
          for (const { at, byte } of changes) if (bytes.length) bytes[at % bytes.length] = byte;
          try {
            const btf = Btf.parse(bytes);
            for (let id = 0; id < btf.count; id++) {
              btf.resolveSize(id);
              btf.findAll(btf.name(id));
            }
            dumpRaw(btf, { write: () => {} });
            dumpC(btf, { write: () => {}, warn: () => {} });
          } catch (error) {
            expect(error).toBeInstanceOf(BtfError);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});
