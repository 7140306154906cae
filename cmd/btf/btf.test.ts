// The btf command as it is run, over a kernel that holds a few objects. Expected texts are those of bpftool 7.8.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { parseBtfFile } from '../../src/btf/file.ts';
import { SysError } from '../../src/errno.ts';
import type { BtfInfo, Kernel, MapInfo, ObjectKind, ProgInfo } from '../../src/syscall.ts';
import { run } from '../run.ts';

const path = (name: string): string => fileURLToPath(new URL(`../../testdata/btf/${name}`, import.meta.url));
const text = (name: string): string => readFileSync(path(name), 'utf8');
const odd = new Uint8Array(readFileSync(path('odd-1.btf')));

const BTF_INFOS: Readonly<Record<number, Partial<BtfInfo>>> = {
  1: { name: 'vmlinux', kernelBtf: true, bytes: new Uint8Array(readFileSync(path('base.btf'))) },
  2: { name: 'module', kernelBtf: true, bytes: new Uint8Array(readFileSync(path('split.btf'))) },
  7: { name: '', kernelBtf: false, bytes: odd },
  9: { name: 'named', kernelBtf: false, bytes: odd },
};
const PROGS: Readonly<Record<number, number>> = { 3: 7, 4: 0, 5: 7 };
const MAPS: Readonly<Record<number, Partial<MapInfo>>> = Object.fromEntries(
  [10, 11, 12, 13, 14, 15].map((id) => [id, { id, name: `m${id}`, btfId: 7, btfKeyTypeId: 1, btfValueTypeId: 2 }]),
);
const OBJECTS: Readonly<Record<string, readonly number[]>> = {
  btf: Object.keys(BTF_INFOS).map(Number),
  prog: Object.keys(PROGS).map(Number),
  map: Object.keys(MAPS).map(Number),
  link: [],
};

/** Descriptors of this kernel are the ids. */
const kernel: Partial<Kernel> = {
  nextId: (kind: ObjectKind, id: number): number => {
    const next = OBJECTS[kind].find((n) => n > id);
    if (next === undefined) throw new SysError('ENOENT');
    return next;
  },
  fdById: (kind: ObjectKind, id: number): number => {
    if (!OBJECTS[kind].includes(id)) throw new SysError('ENOENT');
    return id;
  },
  btfInfo: (fd: number) => ({ id: fd, size: BTF_INFOS[fd].bytes?.length ?? 0, ...BTF_INFOS[fd] }) as BtfInfo,
  progInfo: (fd: number) => ({ id: fd, btfId: PROGS[fd] }) as ProgInfo,
  mapInfo: (fd: number) => MAPS[fd] as MapInfo,
  readFile: (name: string) => (name === '/sys/kernel/btf/vmlinux' ? BTF_INFOS[1].bytes : undefined),
  close: () => {},
  closeAll: () => {},
};

const bpftool = async (...words: string[]) => {
  const result = { out: '', err: '', status: 0 };
  result.status = await run(
    words,
    {
      out: (piece) => {
        result.out += piece;
      },
      err: (piece) => {
        result.err += piece;
      },
    },
    () => kernel as Kernel,
  );
  return result;
};

const fails = (message: string, status = 255) => ({ out: '', err: `Error: ${message}\n`, status });

describe('btf show', () => {
  const lines = [
    '1: name [vmlinux]  size 435B\n',
    '2: name [module]  size 184B\n',
    '7: name <anon>  size 956B  prog_ids 5,3  map_ids 15,14,13,10,11,12\n',
    '9: name named  size 956B\n',
  ];

  test('lists every object with its users, in the order of libbpf’s table', async () => {
    expect(await bpftool('btf')).toEqual({ out: lines.join(''), err: '', status: 0 });
    expect(await bpftool('btf', 'list')).toEqual({ out: lines.join(''), err: '', status: 0 });
  });

  test('shows one object by id', async () => {
    expect(await bpftool('btf', 'show', 'id', '0x7')).toEqual({ out: lines[2], err: '', status: 0 });
    expect((await bpftool('-j', 'btf', 'show', 'id', '9')).out).toBe(
      '{"id":9,"size":956,"prog_ids":[],"map_ids":[],"kernel":false,"name":"named"}\n',
    );
    expect((await bpftool('-j', 'btf', 'show')).out).toContain(
      '{"id":7,"size":956,"prog_ids":[5,3],"map_ids":[15,14,13,10,11,12],"kernel":false},{"id":9,',
    );
  });

  test('refuses other words', async () => {
    expect(await bpftool('btf', 'show', 'id', '8')).toEqual(
      fails("can't get BTF object by id (8): No such file or directory"),
    );
    expect(await bpftool('btf', 'show', 'id', '7x')).toEqual(fails("can't parse 7x as ID"));
    expect(await bpftool('btf', 'show', 'tag', '7')).toEqual(fails("expected 'id', got: 'tag'?"));
    expect(await bpftool('btf', 'show', 'id')).toEqual(fails("what is 'id'?"));
    expect(await bpftool('btf', 'show', 'id', '7', 'x')).toEqual(fails("what is 'id'?"));
  });

  test('has a table of its own', async () => {
    const { out } = await bpftool('--table', 'btf', 'show');
    expect(out).toContain('│ 7  │ <anon>    │ 956B │ 5,3');
  });
});

describe('btf dump', () => {
  test('reads files of raw and ELF data', async () => {
    expect(await bpftool('btf', 'dump', 'file', path('names.o'))).toEqual({
      out: text('names.raw.txt'),
      err: '',
      status: 0,
    });
    expect((await bpftool('-j', 'btf', 'dump', 'file', path('odd-1.btf'))).out).toBe(text('odd-1.raw.json'));
    expect((await bpftool('btf', 'd', 'f', path('names.o'), 'form', 'c', 'u')).out).toBe(text('names.unsorted.h.txt'));
  });

  test('puts split BTF on the base that -B names', async () => {
    const base = path('base.btf');
    expect((await bpftool('-B', base, 'btf', 'dump', 'file', path('split.btf'))).out).toBe(text('split.raw.txt'));
    expect((await bpftool('-B', base, 'btf', 'dump', 'file', path('split.btf'), 'format', 'c')).out).toBe(
      text('split.h.txt'),
    );
  });

  test('falls back to the kernel’s own types for a module, and says so', async () => {
    expect(await bpftool('btf', 'dump', 'id', '2')).toEqual({
      out: text('split.raw.txt'),
      err:
        'Warning: valid base BTF was not specified with -B option, ' +
        'falling back to standard base BTF (/sys/kernel/btf/vmlinux)\n',
      status: 0,
    });
  });

  test('finds the types of programs and maps', async () => {
    const first = parseBtfFile(odd, 'odd');
    expect((await bpftool('btf', 'dump', 'prog', 'id', '3')).out).toBe(text('odd-1.raw.txt'));
    expect((await bpftool('btf', 'dump', 'map', 'id', '10', 'all')).out).toBe(text('odd-1.raw.txt'));
    const heads = async (...words: string[]): Promise<string[]> =>
      (await bpftool('btf', 'dump', 'map', 'id', '10', ...words)).out.match(/^\[\d+\]/gm) ?? [];
    expect(first.count).toBeGreaterThan(3);
    expect(await heads()).toEqual(['[1]', '[2]']);
    expect(await heads('kv')).toEqual(['[1]', '[2]']);
    expect(await heads('key')).toEqual(['[1]']);
    expect(await heads('v', 'format', 'raw')).toEqual(['[2]']);
  });

  test('shows the kernel’s own file with a notice', async () => {
    const { out, err, status } = await bpftool('btf', 'dump', 'file', '/sys/kernel/btf/vmlinux', 'root_id', '1');
    expect([err, status]).toEqual(['skipping /sys/kernel/btf/vmlinux (will be loaded as base)\n', 0]);
    expect(out).toMatch(/^\[1\] /);
  });

  test.each([
    [['id', '7', 'x'], "unrecognized option: 'x'", 234],
    [['id', '7', 'format', 'xml'], "unrecognized format specifier: 'xml', possible values: raw, c", 234],
    [['id', '7', 'format'], "expecting value for 'format' option\n", 234],
    [['id', '7', 'root_id', '9999'], 'invalid root ID: 9999', 234],
    [['id', '7', 'root_id', 'x'], "can't parse x as root ID", 255],
    [['id', '7', 'root_id', '3', 'root_id', '3'], 'duplicate root_id 3 supplied', 234],
    [['map', 'id', '10', 'root_id', '3'], 'cannot use root_id with other type filtering', 234],
    [
      ['id', '7', ...Array.from({ length: 17 }, (_, i) => ['root_id', `${i}`]).flat()],
      'only 16 root_id are supported',
      249,
    ],
    [['id', 'x'], "can't parse x as ID", 255],
    [['foo', 'x'], "unrecognized BTF source specifier: 'foo'", 255],
    [['file', '/nonexistent'], 'failed to load BTF from /nonexistent: No such file or directory', 254],
    [['file', '/'], 'failed to load BTF from /: Input/output error', 251],
    [
      ['file', 'a', 'file', 'b'],
      'base BTF is required when merging multiple BTF files; use -B/--base-btf or use sysfs paths',
      234,
    ],
  ])('refuses %j', async (words, message, status) => {
    expect(await bpftool('btf', 'dump', ...words)).toEqual(fails(message, status));
  });

  test('says both what is missing and what follows from it', async () => {
    const missing = "can't get BTF object by id (8): No such file or directory";
    const consequence = 'get btf by id (8): No such file or directory';
    expect(await bpftool('btf', 'dump', 'id', '8')).toEqual(fails(`${missing}\nError: ${consequence}`, 254));
    expect((await bpftool('-j', 'btf', 'dump', 'id', '8')).out).toBe(
      `{"error":"${missing}"},{"error":"${consequence}"}\n`,
    );
  });

  test('passes libbpf’s sentence on when a file holds no BTF', async () => {
    expect(await bpftool('btf', 'dump', 'file', path('names.c'))).toEqual({
      out: '',
      err:
        `libbpf: failed to get EHDR from ${path('names.c')}\n` +
        `Error: failed to load BTF from ${path('names.c')}: Unknown error 4001\n`,
      status: 95,
    });
  });

  test('has no C syntax in JSON', async () => {
    expect(await bpftool('-j', 'btf', 'dump', 'id', '7', 'format', 'c')).toEqual({
      out: '{"error":"JSON output for C-syntax dump is not supported"}\n',
      err: '',
      status: 161,
    });
  });

  test('shows the help behind a complaint about missing words', async () => {
    const { err, status } = await bpftool('btf', 'dump', 'map', 'id');
    expect(err).toMatch(/^Error: 'map' needs at least 2 arguments, 1 found\nUsage: bpftool btf \{ show \| list \}/);
    expect(status).toBe(255);
    expect((await bpftool('-j', 'btf', 'dump')).out).toBe(
      '{"error":"\'dump\' needs at least 2 arguments, 0 found"},null\n',
    );
  });

  test('refuses a base that cannot be read', async () => {
    expect(await bpftool('-B', '/nonexistent', 'btf', 'show')).toEqual(
      fails("failed to parse base BTF at '/nonexistent': -2\n"),
    );
  });
});

test('btf help goes to standard error, as null into JSON', async () => {
  const { out, err, status } = await bpftool('btf', 'help');
  expect([out, status]).toEqual(['', 0]);
  expect(err).toContain('BTF_SRC := { id BTF_ID | prog PROG | map MAP [{key | value | kv | all}] |\n');
  expect((await bpftool('-j', 'btf', 'help')).out).toBe('null\n');
});
