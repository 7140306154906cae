import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { BTF_KIND, Btf, BtfError } from '../btf/btf.ts';
import { BtfBuilder } from '../btf/encode.ts';
import { parseBtfFile } from '../btf/file.ts';
import { JsonWriter } from './json.ts';
import { dumpValue, typeOnlyText, type ValueOptions } from './value.ts';

const read = (name: string): Buffer => readFileSync(new URL(`../../testdata/btf/${name}`, import.meta.url));

const shown = (btf: Btf, id: number, bytes: readonly number[], options: ValueOptions = {}): string => {
  let text = '';
  const json = new JsonWriter((piece) => {
    text += piece;
  }, false);
  dumpValue(json, btf, id, Uint8Array.from(bytes), options);
  return text;
};

const build = (make: (builder: BtfBuilder) => number): [Btf, number] => {
  const builder = new BtfBuilder();
  const id = make(builder);
  return [Btf.parse(builder.bytes()), id];
};

interface RawDump {
  types: { id: number; kind: string; name: string; size: number; vars: { offset: number }[] }[];
}

describe('global data of a loaded program', () => {
  // Where variables lie is decided when a program is loaded; the captured dump tells.
  const loaded = (): [Btf, number] => {
    const builder = BtfBuilder.from(parseBtfFile(read('values.o'), 'values.o'));
    const { types } = JSON.parse(read('values.raw.json').toString()) as RawDump;
    const section = types.find(({ kind, name }) => kind === 'DATASEC' && name === '.data') as RawDump['types'][0];
    builder.edit(section.id, { third: section.size });
    section.vars.forEach((variable, i) => {
      builder.editVariable(section.id, i, variable);
    });
    return [Btf.parse(builder.bytes()), section.id];
  };

  test('prints as bpftool prints it, for people and as JSON', () => {
    const [btf, section] = loaded();
    const json = read('values.data.json').toString();
    const [{ value, formatted }] = JSON.parse(json) as { value: string[]; formatted: unknown }[];
    const bytes = value.map(Number);
    const text = shown(btf, section, bytes);
    expect(JSON.parse(text)).toEqual((formatted as { value: unknown }).value);
    expect(json).toContain(`"formatted":{"value":${text}}`);

    let plain = '';
    const writer = new JsonWriter((piece) => {
      plain += piece;
    }, true);
    writer.startArray().startObject().name('value');
    expect(dumpValue(writer, btf, section, Uint8Array.from(bytes), { plain: true })).toBe(true);
    writer.endObject().endArray().finish();
    expect(plain).toBe(read('values.data.txt').toString());
  });
});

describe('integers', () => {
  test('characters are quoted where they can be seen', () => {
    const [btf, id] = build((b) => b.addInt('character', 1, 2));
    expect(shown(btf, id, [65])).toBe('"A"');
    expect(shown(btf, id, [3])).toBe('"\\u0003"');
    expect(shown(btf, id, [3], { plain: true })).toBe('0x3');
    expect(shown(btf, id, [0xff])).toBe('"\\u00ff"');
  });

  test('a boolean is true unless 0', () => {
    const [btf, id] = build((b) => b.addInt('_Bool', 1, 4));
    expect([0, 1, 2].map((byte) => shown(btf, id, [byte]))).toEqual(['false', 'true', 'true']);
  });

  test('an unknown encoding prints nothing', () => {
    const [btf, id] = build((b) => b.addInt('both', 4, 3));
    expect(shown(btf, id, [1, 0, 0, 0])).toBe('');
  });

  test('odd widths and offsets are hexadecimal and never negative', () => {
    const [btf, id] = build((b) => b.addInt('odd', 4, 1, 5, 3));
    expect(shown(btf, id, [0xf8, 0, 0, 0], { plain: true })).toBe('0x1f');
    expect(shown(btf, id, [0xf8, 0, 0, 0])).toBe('"0x1f"');
    const [wide, i24] = build((b) => b.addInt('i24', 4, 1, 24));
    expect(shown(wide, i24, [0xff, 0xff, 0xff, 0xff])).toBe('"0xffffff"');
  });

  test('128 bits print their upper half only where it is not 0', () => {
    const [btf, id] = build((b) => b.addInt('__int128', 16, 1));
    const upper = (byte: number) => [5, ...Array<number>(7).fill(0), byte, ...Array<number>(7).fill(0)];
    expect(shown(btf, id, upper(0), { plain: true })).toBe('0x5');
    expect(shown(btf, id, upper(0xab))).toBe('"0xab0000000000000005"');
  });
});

describe('enumerations', () => {
  test('an unsigned value of 32 bits is found by its bits, one of 8 bits is not', () => {
    const values = [{ name: 'ALL', value: 0xffffffffn }];
    const [wide, four] = build((b) => b.addEnum('e', 4, values));
    expect(shown(wide, four, [255, 255, 255, 255])).toBe('"ALL"');
    const [narrow, one] = build((b) => b.addEnum('e', 1, [{ name: 'ALL', value: 255n }]));
    expect(shown(narrow, one, [255])).toBe('-1');
  });

  test('64-bit values are found by all their bits', () => {
    const [btf, id] = build((b) => b.addEnum64('e', 8, [{ name: 'BIG', value: 1n << 40n }]));
    expect(shown(btf, id, [0, 0, 0, 0, 0, 1, 0, 0])).toBe('"BIG"');
    expect(shown(btf, id, [1, 0, 0, 0, 0, 1, 0, 0])).toBe('1099511627777');
  });
});

describe('arrays', () => {
  test('characters up to NUL are a string, without NUL or behind a typedef they are numbers', () => {
    const [btf, id] = build((b) => {
      const char = b.addInt('char', 1, 1);
      b.addArray(b.addRef(BTF_KIND.CONST, char), char, 3);
      return b.addArray(b.addTypedef('letter', char), char, 3);
    });
    const string = id - 2;
    expect(shown(btf, string, [65, 66, 0])).toBe('"AB"');
    expect(shown(btf, string, [0, 66, 1])).toBe('""');
    expect(shown(btf, string, [65, 66, 67])).toBe('[65,66,67]');
    expect(shown(btf, string, [65, 9, 0])).toBe('[65,9,0]');
    expect(shown(btf, id, [65, 66, 0])).toBe('[65,66,0]');
  });
});

describe('pointers', () => {
  const [btf, id] = build((b) => {
    const int = b.addInt('int', 4, 1);
    return b.addPtr(b.addFuncProto(int, [{ name: '', type: b.addPtr(int) }]));
  });
  const eight = (first: number) => [first, 0, 0, 0, 0, 0, 0, 0];

  test('are hexadecimal for people and numbers in JSON', () => {
    expect(shown(btf, id, eight(0x34), { plain: true })).toBe('"0x34"');
    expect(shown(btf, id, eight(0), { plain: true })).toBe('"(nil)"');
    expect(shown(btf, id, Array(8).fill(255))).toBe('18446744073709551615');
  });

  test('of functions can hold programs', () => {
    const programName = (program: number) => (program === 7 ? 'seven' : undefined);
    expect(shown(btf, id, eight(7), { programName })).toBe('"int (int *) seven/prog_id:7"');
    expect(shown(btf, id, eight(8), { programName })).toBe('"int (int *) <unknown_prog_name>/prog_id:8"');
    expect(shown(btf, id, eight(0), { programName })).toBe('"int (int *) 0"');
    expect(shown(btf, id, [0, 0, 0, 0, 1, 0, 0, 0], { programName })).toBe('4294967296');
  });
});

describe('what cannot be printed', () => {
  test('ends the struct that it stands in', () => {
    const [btf, id] = build((b) => {
      const int = b.addInt('int', 4, 1);
      const float = b.addFloat('float', 4);
      return b.addStruct('s', 12, [
        { name: 'a', type: int, bitOffset: 0 },
        { name: 'f', type: float, bitOffset: 32 },
        { name: 'b', type: int, bitOffset: 64 },
      ]);
    });
    const bytes = [1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0];
    expect(shown(btf, id, bytes)).toBe('{"a":1,"f":(unsupported-kind)}');
    expect(dumpValue(new JsonWriter(() => {}, false), btf, id, Uint8Array.from(bytes))).toBe(false);
  });

  test('void and forward declarations say so', () => {
    const [btf, id] = build((b) => b.addFwd('f'));
    expect(shown(btf, 0, [])).toBe('(unknown)');
    expect(shown(btf, id, [])).toBe('(fwd-kind-invalid)');
  });

  test('a value shorter than its type is refused', () => {
    const [btf, id] = build((b) => b.addArray(b.addInt('long', 8), 1, 1000));
    expect(() => shown(btf, id, [1, 2, 3])).toThrow(BtfError);
    expect(() => shown(btf, id - 1, [1, 2, 3])).toThrow(BtfError);
  });

  test('a struct that holds itself is refused', () => {
    const [btf, id] = build((b) => b.addStruct('s', 8, [{ name: 'in', type: 1, bitOffset: 0 }]));
    expect(() => shown(btf, id, Array(8).fill(0))).toThrow(BtfError);
  });
});

describe('prototypes', () => {
  test('functions read as bpftool writes them', () => {
    const btf = parseBtfFile(read('values.o'), 'values.o');
    const lines = ['prog', 'helper'].map((name) => `${typeOnlyText(btf, btf.find(name, BTF_KIND.FUNC))}:\n`);
    expect(lines.join('')).toBe(read('values.prototypes.txt').toString());
  });

  test('unnamed parameters lose the blank behind a star, varargs are dots', () => {
    const [btf, id] = build((b) => {
      const int = b.addInt('int', 4, 1);
      const array = b.addArray(int, int, 4);
      const params = [
        { name: '', type: b.addPtr(b.addRef(BTF_KIND.CONST, int)) },
        { name: 'arr', type: array },
        { name: 'e', type: b.addEnum('', 4, []) },
        { name: '', type: 0 },
      ];
      return b.addFunc('f', 1, b.addFuncProto(0, params));
    });
    expect(typeOnlyText(btf, id)).toBe('void f(const int *, int [4]arr, enum  e, ...)');
    expect(typeOnlyText(btf, id - 1)).toBe('void (const int *, int [4]arr, enum  e, ...)');
  });

  test('variables and sections have texts too, tags do not', () => {
    const [btf, id] = build((b) => {
      const int = b.addInt('int', 4, 1);
      b.addVar('v', 0, int);
      b.addDatasec('.data', 4, []);
      return b.addTypeTag('user', int);
    });
    expect([1, 2, 3].map((n) => typeOnlyText(btf, id - n))).toEqual(['section (".data") ', 'static int  v', 'int ']);
    expect(typeOnlyText(btf, id)).toBe('');
  });

  test('a text that bpftool has no room for is not shown', () => {
    const [btf, id] = build((b) => {
      const int = b.addInt('int', 4, 1);
      const proto = b.addFuncProto(int, Array(300).fill({ name: '', type: int }));
      b.addFunc('long_one', 1, proto);
      return b.addPtr(b.nextId);
    });
    expect(typeOnlyText(btf, id - 1)).toBe('');
    expect(typeOnlyText(btf, id)).toBe('');
  });
});
