// Raw and C dumps against what bpftool 7.8 printed (testdata/btf/capture.sh).
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { JsonWriter } from '../print/json.ts';
import { BTF_KIND, Btf, BtfError } from './btf.ts';
import { dumpC } from './dump-c.ts';
import { dumpRaw } from './dump-raw.ts';
import { BtfBuilder } from './encode.ts';
import { parseBtfFile } from './file.ts';

const path = (name: string): URL => new URL(`../../testdata/btf/${name}`, import.meta.url);
const text = (name: string): string => readFileSync(path(name), 'utf8');
const open = (name: string, base?: Btf): Btf => parseBtfFile(readFileSync(path(name)), name, base);

const raw = (btf: Btf, roots?: number[]): string => {
  let out = '';
  dumpRaw(
    btf,
    {
      write: (piece) => {
        out += piece;
      },
    },
    roots,
  );
  return out;
};

const rawJson = (btf: Btf): string => {
  let out = '';
  const write = (piece: string | Buffer): void => {
    out += piece;
  };
  const json = new JsonWriter(write, false);
  dumpRaw(btf, { json, write });
  json.finish();
  return out;
};

const header = (btf: Btf, options: { sorted?: boolean; roots?: number[] } = {}) => {
  let out = '';
  const warnings: string[] = [];
  let error: unknown;
  try {
    dumpC(btf, {
      ...options,
      write: (piece) => {
        out += piece;
      },
      warn: (sentence) => warnings.push(sentence),
    });
  } catch (thrown) {
    error = thrown;
  }
  return { out, warnings, error };
};

/** What stands between the fixed head and tail. */
const body = (out: string): string =>
  out.split('#endif\n#endif\n\n')[1].split('#ifndef BPF_NO_PRESERVE_ACCESS_INDEX')[0];

const ODD = [1, 2, 3, 4, 5, 6].map((n) => [`odd-${n}`, `odd-${n}.btf`]);
const CASES: [string, string][] = [
  ['layouts', 'layouts.o'],
  ['pointers', 'pointers.o'],
  ['names', 'names.o'],
  ...(ODD as [string, string][]),
];

describe.each(CASES)('%s', (name, file) => {
  const btf = open(file);

  test('the raw dump equals that of bpftool', () => {
    expect(raw(btf)).toBe(text(`${name}.raw.txt`));
    expect(rawJson(btf)).toBe(text(`${name}.raw.json`));
  });

  test('the C dump equals that of bpftool, sorted and unsorted', () => {
    expect(header(btf)).toEqual({ out: text(`${name}.h.txt`), warnings: [], error: undefined });
    expect(header(btf, { sorted: false }).out).toBe(text(`${name}.unsorted.h.txt`));
  });
});

test('split BTF: raw shows its own types, C those of the base too', () => {
  const split = open('split.btf', open('base.btf'));
  expect(raw(split)).toBe(text('split.raw.txt'));
  expect(rawJson(split)).toBe(text('split.raw.json'));
  expect(header(split).out).toBe(text('split.h.txt'));
  expect(header(split, { sorted: false }).out).toBe(text('split.unsorted.h.txt'));
});

describe('roots', () => {
  const btf = open('names.o');

  test('raw shows exactly them, in the order given', () => {
    const int = btf.find('int');
    expect(raw(btf, [int, 0])).toBe(
      `[${int}] INT 'int' size=4 bits_offset=0 nr_bits=32 encoding=SIGNED\n[0] UNKNOWN '(anon)'\n`,
    );
    expect(() => raw(btf, [btf.count])).toThrow(BtfError);
  });

  test('C adds what they need, and leaves the functions of the kernel out', () => {
    const { out } = header(btf, { roots: [btf.find('x_t', BTF_KIND.TYPEDEF)] });
    expect(body(out)).toBe('typedef enum {\n\tX_A = 0,\n\tX_B = 1,\n} x_t;\n\n');
  });
});

describe('C dump', () => {
  test('the type that sorts first is passed over, as bpftool does', () => {
    const builder = new BtfBuilder();
    builder.addEnum('', 4, [{ name: 'A', value: 1n }]);
    builder.addEnum('', 4, [{ name: 'B', value: 2n }]);
    const btf = Btf.parse(builder.bytes());
    expect(body(header(btf).out)).toContain('B = 2');
    expect(body(header(btf).out)).not.toContain('A = 1');
    expect(body(header(btf, { sorted: false }).out)).toContain('A = 1');
  });

  test('functions that programs may call are declared by name', () => {
    const builder = new BtfBuilder();
    const int = builder.addInt('int', 4, 1);
    const proto = builder.addFuncProto(int, [{ name: 'p', type: builder.nextId - 1 }]);
    for (const name of ['zeta', 'alpha']) builder.addDeclTag('bpf_kfunc', builder.addFunc(name, 0, proto));
    builder.addDeclTag('bpf_fastcall', builder.nextId - 2);
    const { out } = header(Btf.parse(builder.bytes()));
    expect(out).toContain(
      '\n/* BPF kfuncs */\n#ifndef BPF_NO_KFUNC_PROTOTYPES\n' +
        'extern __bpf_fastcall int alpha(int p) __weak __ksym;\nextern int zeta(int p) __weak __ksym;\n#endif\n',
    );
  });

  test('a struct that embeds itself is refused with its id, after what came before it', () => {
    const builder = new BtfBuilder();
    builder.addInt('int', 4, 1);
    builder.addTypedef('fine', 1);
    builder.addStruct('self', 4, [{ name: 'in', type: 3, bitOffset: 0 }]);
    const { out, warnings, error } = header(Btf.parse(builder.bytes()), { sorted: false });
    expect(warnings).toEqual(['unsatisfiable type cycle, id:[3]']);
    expect(error).toMatchObject({ errno: 40 });
    expect(out).toMatch(/typedef int fine;\n\n$/);
  });

  test('members that cannot be stored are told each time that their alignment is looked for', () => {
    const builder = new BtfBuilder();
    builder.addInt('int', 4, 1);
    builder.addVar('v', 1, 1);
    builder.addArray(2, 1, 3);
    const members = [1, 2, 3].map((type, i) => ({ name: 'abc'[i], type, bitOffset: i * 32 }));
    builder.addStruct('odd', 12, members);
    const { out, warnings } = header(Btf.parse(builder.bytes()), { sorted: false });
    const unaligned = 'unsupported BTF_KIND:14';
    const unexpected = 'unexpected type in decl chain, kind:14, id:[2]';
    const perMember = [unaligned, unexpected, unexpected];
    expect(warnings).toEqual([unaligned, unaligned, unaligned, ...perMember, ...perMember]);
    expect(out).toContain('struct odd {\n\tint a;\n\t;\n\t;\n};\n');
  });

  test('a struct too large to pad ends in an error instead of endless lines', () => {
    const builder = new BtfBuilder();
    builder.addStruct('vast', 0xfffffff, []);
    const { error } = header(Btf.parse(builder.bytes()), { sorted: false });
    expect(error).toBeInstanceOf(BtfError);
  });
});

test('JSON escapes what it has to in names of types and of elements, and leaves the rest as it is', () => {
  const names = ['"quoted"', 'back\\slash', 'line\nend\ttab', 'äöü', '\u0001'];
  const builder = new BtfBuilder();
  const members = names.map((name) => ({ name, type: 1, bitOffset: 0 }));
  for (const name of names) builder.addStruct(name, 4, members);
  const { types } = JSON.parse(rawJson(Btf.parse(builder.bytes())).replaceAll('\u0001', '\\u0001'));
  expect(types.map(({ name }: { name: string }) => name)).toEqual(names);
  for (const type of types) expect(type.members.map(({ name }: { name: string }) => name)).toEqual(names);
});

test('a name that gets a number is cut where it is very long', () => {
  const builder = new BtfBuilder();
  const long = 'n'.repeat(300);
  for (let i = 0; i < 2; i++) builder.addStruct(long, 4, []);
  const { out } = header(Btf.parse(builder.bytes()), { sorted: false });
  expect(out).toContain(`struct ${long} {`);
  expect(out).toContain(`struct ${'n'.repeat(255)} {`);
});

test('data without types is an empty document', () => {
  const bytes = new BtfBuilder().bytes();
  const json = (pretty: boolean): string => {
    let out = '';
    const write = (piece: string | Buffer): void => {
      out += piece;
    };
    dumpRaw(Btf.parse(bytes), { json: new JsonWriter(write, pretty), write });
    return out;
  };
  expect(json(false)).toBe('{"types":[]}');
  expect(json(true)).toBe('{\n    "types": []\n}');
});
