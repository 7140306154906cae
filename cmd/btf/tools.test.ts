// Commands over types that need no kernel objects. Expected bytes are those of bpftool 7.8 and pahole, except for the
// commands that they do not have.
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { zstdDecompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SysError } from '../../src/errno.ts';
import type { Kernel } from '../../src/syscall.ts';
import { run } from '../run.ts';

const testdata = fileURLToPath(new URL('../../testdata/', import.meta.url));
const path = (name: string): string => join(testdata, 'btf-tools', name);
const corpus = (name: string): string => join(testdata, 'corpus/obj', name);
const text = (name: string): string => readFileSync(path(name), 'utf8');
const VMLINUX = '/sys/kernel/btf/vmlinux';

const image = new URL('../../data/linux-6.18-x86_64/vmlinux.btf.zst', import.meta.url);
let vmlinux: Uint8Array | undefined;
/** All that these commands ask of a kernel. */
const kernel: Partial<Kernel> = {
  readFile: (name: string) => {
    if (name !== VMLINUX) return undefined;
    vmlinux ??= new Uint8Array(zstdDecompressSync(readFileSync(image)));
    return vmlinux;
  },
  nextId: () => {
    throw new SysError('ENOENT');
  },
  closeAll: () => {},
};

const bpftool = async (...words: string[]) => {
  const result = { out: '', err: '', status: 0 };
  const out = (piece: string | Uint8Array): void => {
    result.out += piece.toString();
  };
  const err = (piece: string): void => {
    result.err += piece;
  };
  result.status = await run(words, { out, err }, () => kernel as Kernel);
  return result;
};

const prints = (out: string, status = 0) => ({ out, err: '', status });
const fails = (message: string, status = 255) => ({ out: '', err: `Error: ${message}\n`, status });

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'btf-tools-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('gen min_core_btf', () => {
  const minimize = async (...objects: string[]): Promise<Buffer> => {
    const output = join(folder, 'min.btf');
    expect(await bpftool('gen', 'min_core_btf', VMLINUX, output, ...objects)).toEqual(prints(''));
    return readFileSync(output);
  };

  test('keeps what every kind of relocation needs, byte for byte', async () => {
    expect(await minimize(path('core.bpf.o'))).toEqual(readFileSync(path('core.min.btf')));
  });

  test('adds up what several objects need', async () => {
    const objects = [corpus('core_kinds.bpf.o'), path('core.bpf.o'), corpus('core_field.bpf.o')];
    expect(await minimize(...objects)).toEqual(readFileSync(path('together.min.btf')));
  });

  test('leaves nothing for an object without relocations', async () => {
    expect((await minimize(corpus('alu.bpf.o'))).length).toBe(33);
  });

  test('says which file it cannot use', async () => {
    const output = join(folder, 'none.btf');
    const object = path('ops.bpf.o');
    expect(await bpftool('gen', 'min_core_btf', object, output, '/none')).toEqual({
      out: '',
      err:
        "Error: failed to parse BPF object '/none': No such file or directory\n" +
        'Error: error recording relocations for /none: No such file or directory\n',
      status: 254,
    });
    expect(await bpftool('gen', 'min_core_btf', object, '/none/x', object)).toEqual(
      fails('error saving btf file: No such file or directory', 254),
    );
    expect((await bpftool('gen', 'min_core_btf', object, output)).err).toContain(
      "'min_core_btf' needs at least 3 arguments, 2 found",
    );
  });
});

describe('gen skeleton in C', () => {
  const sha256 = (value: string): string => createHash('sha256').update(value, 'latin1').digest('hex');
  const hashes: Record<string, { skeleton: string; subskeleton: string }> = JSON.parse(text('skeletons.json'));

  test('is that of the real tool for every object of the corpus', async () => {
    expect(Object.keys(hashes).length).toBeGreaterThan(40);
    for (const [object, expected] of Object.entries(hashes)) {
      const skeleton = await bpftool('gen', 'skeleton', corpus(object), 'lang', 'c');
      const subskeleton = await bpftool('gen', 'subskeleton', corpus(object));
      expect({ skeleton: sha256(skeleton.out), subskeleton: sha256(subskeleton.out) }, object).toEqual(expected);
    }
  });

  test('has data sections of all kinds and struct_ops maps', async () => {
    expect(await bpftool('gen', 'skeleton', path('ops.bpf.o'), 'lang', 'c')).toEqual(prints(text('ops.skel.h.txt')));
    expect(await bpftool('gen', 'subskeleton', path('ops.bpf.o'))).toEqual(prints(text('ops.subskel.h.txt')));
  });

  test('takes a name, once', async () => {
    const named = await bpftool('gen', 'subskeleton', path('ops.bpf.o'), 'name', 'mine');
    expect(named.out).toContain('#ifndef __MINE_SUBSKEL_H__\n');
    const twice = await bpftool('gen', 'subskeleton', path('ops.bpf.o'), 'name', 'a', 'name', 'b');
    expect(twice).toEqual(fails('object name already specified'));
  });

  test('refuses languages that it does not know', async () => {
    expect(await bpftool('gen', 'skeleton', path('ops.bpf.o'), 'lang', 'x')).toEqual(
      fails("unrecognized language: 'x', possible values: c, ts"),
    );
  });
});

describe('btf diff', () => {
  const sides = [path('before.o'), path('after.o')] as const;

  test('tells added, removed and changed types, members and values, and exits with 1', async () => {
    expect(await bpftool('btf', 'diff', ...sides)).toEqual(prints(text('diff.txt'), 1));
    expect(await bpftool('-p', 'btf', 'diff', ...sides, 's', 'e')).toEqual(prints(text('diff.json'), 1));
  });

  test('is silent about types that are the same', async () => {
    expect(await bpftool('btf', 'diff', sides[0], 'file', sides[0])).toEqual(prints(''));
    expect(await bpftool('btf', 'diff', ...sides, 'long')).toEqual(prints(''));
  });

  test('the other way round, what was added is removed', async () => {
    const there = await bpftool('btf', 'diff', ...sides);
    const back = await bpftool('btf', 'diff', sides[1], sides[0]);
    const count = (out: string, sign: string): number => out.split('\n').filter((l) => l.trim()[0] === sign).length;
    expect(count(back.out, '+')).toBe(count(there.out, '-'));
    expect(count(back.out, '-')).toBe(count(there.out, '+'));
    expect(count(back.out, '~')).toBe(count(there.out, '~'));
  });

  test('wants types that exist', async () => {
    expect(await bpftool('btf', 'diff', ...sides, 'none')).toEqual(fails("no type 'none' on either side", 254));
    expect(await bpftool('btf', 'diff', sides[0])).toEqual(fails('diff needs a file or an id'));
  });
});

describe('btf layout', () => {
  test('puts every member of kernel structs where pahole puts it', async () => {
    const blocks = text('pahole.txt').split(/^(?=(?:struct|union) \w+ \{$)/m);
    expect(blocks.length).toBe(8);
    const places = (block: string): string[] =>
      [...block.matchAll(/\/\*\s+(\d+(?:: *\d+)?\s+\d+) \*\//g)].map((match) => match[1].replace(/\s+/g, ' '));
    for (const block of blocks) {
      const name = /^\w+ (\w+)/.exec(block)?.[1] ?? '';
      const ours = await bpftool('btf', 'layout', VMLINUX, name);
      expect(places(ours.out), name).toEqual(places(block));
      const numbers = /size: \d+, cachelines: \d+, members: \d+/;
      expect(numbers.exec(ours.out)?.[0], name).toBe(numbers.exec(block)?.[0]);
    }
  });

  test('shows holes, nested members and bitfields', async () => {
    expect(await bpftool('btf', 'layout', path('after.o'), 's', 'in')).toEqual(prints(text('layout.txt')));
    expect(await bpftool('-p', 'btf', 'layout', path('after.o'), 's')).toEqual(prints(text('layout.json')));
  });

  test('wants structs and unions', async () => {
    expect(await bpftool('btf', 'layout', path('after.o'), 'e')).toEqual(fails("no struct or union 'e'", 254));
  });

  test('leaves the abbreviations of the real commands alone', async () => {
    const dump = await bpftool('btf', 'd', 'file', path('after.o'));
    expect(dump.out).toContain("STRUCT 's' size=64");
    expect(await bpftool('btf', 'l')).toEqual(await bpftool('btf', 'list'));
  });
});

describe('btf dump format c for OBJECT', () => {
  test('holds only what the object needs', async () => {
    const words = ['btf', 'dump', 'file', VMLINUX, 'format', 'c', 'for', corpus('core_field.bpf.o')];
    expect((await bpftool(...words)).out).toBe(text('needed.h.txt'));
  });

  test('"for c" is still "format c"', async () => {
    const whole = await bpftool('btf', 'dump', 'file', path('after.o'), 'format', 'c');
    expect(await bpftool('btf', 'dump', 'file', path('after.o'), 'for', 'c')).toEqual(whole);
  });
});

describe('btf dump of random types', () => {
  const names = readdirSync(join(testdata, 'btf-tools')).filter((name) => /^random-\d+\.o$/.test(name));

  test.each(names)('%s is dumped as bpftool does', async (name) => {
    const stem = name.replace('.o', '');
    expect(await bpftool('btf', 'dump', 'file', path(name), 'format', 'c')).toEqual(prints(text(`${stem}.h.txt`)));
    expect(await bpftool('btf', 'dump', 'file', path(name))).toEqual(prints(text(`${stem}.raw.txt`)));
  });
});
