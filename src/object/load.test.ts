import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Btf } from '../btf/btf.ts';
import { BTF_KIND } from '../btf/kinds.ts';
import { SysError } from '../errno.ts';
import { decodeInsns, encodeInsns, LDIMM64 } from '../isa/insn.ts';
import { MAP_TYPE } from '../isa/uapi.ts';
import type { ProgLoadAttr } from '../syscall.ts';
import { LoadError, ObjectError } from './errors.ts';
import { type LoadedObject, type LoadOptions, loadObject } from './load.ts';
import { openObject } from './open.ts';
import type { PrintLevel } from './print.ts';
import { RecordingKernel, type Verdict } from './recording-kernel.ts';
import { cloneSpec, type MapSpec, type ObjectSpec } from './spec.ts';

// What libbpf 1.8 itself asked of Linux 6.18 for the same files, and said meanwhile: testdata/object/README.md.
interface Expected {
  btf: string;
  maps: (Record<string, unknown> & { name: string; inner?: number })[];
  contents: Record<string, string>;
  frozen: number[];
  slots: [map: number, key: string, target: number | 'prog'][];
  bound: number[];
  programs: {
    name: string;
    type: number;
    expectedAttachType: number;
    flags: number;
    license: string;
    insns: string;
    funcInfo: string;
    lineInfo: string;
  }[];
}

const FOLDER = new URL('../../testdata/object/', import.meta.url);
const file = (name: string): Uint8Array => readFileSync(new URL(name, FOLDER));
const expected = (name: string): Expected => JSON.parse(Buffer.from(file(`expected/${name}.json`)).toString());
const hex = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString('hex');

const CONFIG = [
  'CONFIG_DEFAULT_HOSTNAME="(none)"',
  'CONFIG_BPF_SYSCALL=y',
  'CONFIG_HZ=250',
  '# CONFIG_PREEMPT is not set',
  'CONFIG_IPV6=y',
  '',
].join('\n');
const FILES = { '/sys/kernel/btf/vmlinux': file('kernel.btf'), '/proc/config.gz': gzipSync(CONFIG) };
const LEVELS: readonly PrintLevel[] = ['warn', 'info', 'debug'];

/** Programs and maps of the loader's own trials have these names, or none. */
const isTrial = (name: string | undefined): boolean => !name || /^(libbpf_|det_arg_ctx$)/.test(name);

interface Run {
  kernel: RecordingKernel;
  spec: ObjectSpec;
  loaded: LoadedObject | undefined;
  error: unknown;
  text: string;
}

function run(name: string, options: LoadOptions = {}, verdict?: Verdict, change?: (spec: ObjectSpec) => void): Run {
  const kernel = new RecordingKernel(FILES, verdict);
  let text = '';
  const print = (level: PrintLevel, line: string): void => {
    text += `${LEVELS.indexOf(level)} ${line}`;
  };
  const spec = openObject(file(`${name}.bpf.o`), { path: `${name}.bpf.o`, print });
  change?.(spec);
  try {
    return { kernel, spec, loaded: loadObject(kernel, spec, { print, ...options }), error: undefined, text };
  } catch (error) {
    return { kernel, spec, loaded: undefined, error, text };
  } finally {
    text = text.replace(/fd=\d+/g, 'fd=N');
  }
}

const mapOf = (spec: ObjectSpec, name: string): MapSpec => {
  const map = spec.maps.find((m) => m.name === name);
  if (!map) throw new Error(`no map ${name}`);
  return map;
};

/** Instructions with the place of a map in place of its descriptor. */
function withoutFds(attr: ProgLoadAttr, places: ReadonlyMap<number, number>): string {
  const insns = decodeInsns(attr.insns);
  for (let i = 0; i < insns.length; i++) {
    const insn = insns[i];
    if (insn.code !== LDIMM64) continue;
    if (insn.src === 1 || insn.src === 2) insn.imm = places.get(insn.imm) ?? -1;
    i++;
  }
  return hex(encodeInsns(insns));
}

/** The calls in the form of the captures. */
function recorded({ kernel }: Run): Expected {
  const maps = kernel.maps.filter((m) => !isTrial(m.attr.name));
  const places = new Map(maps.map((m, i) => [m.fd, i]));
  const place = (fd: number): number => places.get(fd) ?? -1;
  const out: Expected = {
    btf: hex(kernel.btfs.at(-1)?.bytes),
    maps: maps.map(({ attr }) => ({
      name: attr.name ?? '',
      type: attr.type,
      keySize: attr.keySize,
      valueSize: attr.valueSize,
      maxEntries: attr.maxEntries,
      flags: attr.flags,
      numaNode: attr.numaNode,
      mapExtra: String(attr.mapExtra),
      hasBtf: attr.btfFd !== 0,
      btfKeyTypeId: attr.btfKeyTypeId,
      btfValueTypeId: attr.btfValueTypeId,
      ...(attr.innerMapFd && { inner: place(attr.innerMapFd) }),
    })),
    contents: {},
    frozen: maps.flatMap((m, i) => (m.frozen ? [i] : [])),
    slots: [],
    bound: [],
    programs: [],
  };
  maps.forEach((map, i) => {
    for (const [key, value] of map.contents) {
      const target = new DataView(value.buffer, value.byteOffset).getUint32(0, true);
      const { type } = map.attr;
      if (type === MAP_TYPE.prog_array) out.slots.push([i, key, 'prog']);
      else if (type === MAP_TYPE.array_of_maps || type === MAP_TYPE.hash_of_maps)
        out.slots.push([i, key, place(target)]);
      else out.contents[i] = hex(value);
    }
  });
  for (const { attr, bound } of kernel.programs) {
    if (isTrial(attr.name)) continue;
    out.bound.push(...bound.map(place));
    out.programs.push({
      name: attr.name ?? '',
      type: attr.type,
      expectedAttachType: attr.expectedAttachType ?? 0,
      flags: attr.flags ?? 0,
      license: attr.license,
      insns: withoutFds(attr, places),
      funcInfo: hex(attr.funcInfo?.bytes),
      lineInfo: hex(attr.lineInfo?.bytes),
    });
  }
  return out;
}

const OBJECTS: readonly (readonly [name: string, what: string, options: LoadOptions])[] = [
  ['maps', 'every attribute of map declarations', {}],
  ['data', 'global data, kernel configuration', {}],
  ['calls', 'subprograms, callbacks, missing kernel symbols', {}],
  ['core', 'CO-RE of every kind', { kernelBtfPath: new URL('kernel.btf', FOLDER).pathname }],
];

describe('loading an object asks the kernel for what libbpf asks for', () => {
  for (const [name, what, options] of OBJECTS) {
    const result = run(name, options);
    const ours = recorded(result);
    const theirs = expected(name);

    test(`${name} (${what}): the same BTF`, () => {
      expect(result.error).toBeUndefined();
      expect(ours.btf).toBe(theirs.btf);
    });
    test(`${name}: the same maps, contents and slots`, () => {
      expect(ours.maps).toEqual(theirs.maps);
      expect(ours.contents).toEqual(theirs.contents);
      expect(ours.frozen).toEqual(theirs.frozen);
      expect(ours.slots).toEqual(theirs.slots);
    });
    test(`${name}: the same programs, instruction by instruction`, () => {
      expect(ours.programs).toEqual(theirs.programs);
      expect(ours.bound).toEqual(theirs.bound);
    });
    test(`${name}: the same messages`, () => {
      const log = Buffer.from(file(`expected/${name}.log`)).toString();
      expect(result.text.replace(/fd=\d+/g, 'fd=N')).toBe(log);
    });
  }
});

describe('a load', () => {
  test('leaves the object as it was, so that it can be loaded again', () => {
    const { spec } = run('calls');
    const before = JSON.stringify(cloneSpec(spec).programs);
    loadObject(new RecordingKernel(FILES), spec);
    expect(JSON.stringify(spec.programs)).toBe(before);
  });

  test('of one program makes all maps', () => {
    const { kernel, loaded } = run('maps', { programs: ['step'] });
    expect([...(loaded?.programs.keys() ?? [])]).toEqual(['step']);
    expect(loaded?.maps.size).toBe(10);
    expect(kernel.programs.filter((p) => !isTrial(p.attr.name))).toHaveLength(1);
  });

  test('leaves out what begins with a question mark, unless it is asked for', () => {
    expect(run('calls').loaded?.programs.has('dormant')).toBe(false);
    const { error } = run('calls', { programs: ['dormant'] });
    expect(error).toBeInstanceOf(ObjectError);
    expect((error as ObjectError).errno).toBe(3);
  });

  test('that fails closes everything it had opened', () => {
    const { kernel, error } = run('maps', {}, (attr) => {
      if (attr.name === 'use') throw new SysError('EACCES');
    });
    expect(error).toBeInstanceOf(LoadError);
    expect([...kernel.open]).toEqual([]);
  });

  test('that fails is repeated with a log, which the error and the messages carry', () => {
    const levels: number[] = [];
    const { error, text } = run('maps', {}, (attr) => {
      if (attr.name !== 'use') return;
      levels.push(attr.log?.level ?? 0);
      if (attr.log) attr.log.text = 'R0 !read_ok\n';
      throw new SysError('EACCES');
    });
    expect(levels).toEqual([0, 1]);
    expect(error).toMatchObject({ errno: 13, program: 'use', log: 'R0 !read_ok\n' });
    expect(text.split('\n').slice(-7)).toEqual([
      "0 libbpf: prog 'use': BPF program load failed: -EACCES",
      "0 libbpf: prog 'use': -- BEGIN PROG LOAD LOG --",
      'R0 !read_ok',
      '-- END PROG LOAD LOG --',
      "0 libbpf: prog 'use': failed to load: -EACCES",
      "0 libbpf: failed to load object 'maps.bpf.o'",
      '',
    ]);
  });

  test('doubles the log buffer while the kernel finds it too small', () => {
    const sizes: number[] = [];
    run('maps', { programs: ['step'] }, (attr) => {
      if (attr.name !== 'step') return;
      if (attr.log) sizes.push(attr.log.size);
      throw new SysError(sizes.length < 3 ? 'ENOSPC' : 'EINVAL');
    });
    expect(sizes).toEqual([0xffffff, 2 * 0xffffff, 4 * 0xffffff]);
  });

  test('names a missing kernel function in place of its poisoned call', () => {
    const { error } = run('calls', { programs: ['third'] }, (attr) => {
      if (attr.name !== 'third') return;
      const call = decodeInsns(attr.insns).findIndex((x) => x.imm >= 2002000000);
      const helper = decodeInsns(attr.insns)[call].imm;
      if (attr.log) {
        attr.log.text = `${call}: (85) call unknown#${helper}\ninvalid func unknown#${helper}\nprocessed 1 insns\n`;
      }
      throw new SysError('EINVAL');
    });
    expect((error as LoadError).log).toMatch(
      /^\d+: <invalid kfunc call>\nkfunc 'bpf_not_in_any_kernel' is referenced but wasn't resolved\nprocessed 1 insns\n$/,
    );
  });

  test('names the relocation that poisoned an instruction', () => {
    const options = { ...OBJECTS[3][2], programs: ['poisoned'] };
    const { error, text } = run('core', options, (attr) => {
      if (attr.name !== 'poisoned') return;
      if (attr.log)
        attr.log.text = '0: (85) call unknown#195896080\ninvalid func unknown#195896080\nprocessed 1 insns\n';
      throw new SysError('EINVAL');
    });
    expect((error as LoadError).log).toMatch(
      /^0: <invalid CO-RE relocation>\nfailed to resolve CO-RE relocation <byte_off> \[\d+\] struct unknown.x \(0:0 @ offset 0\)\nprocessed/,
    );
    // What libbpf leaves out, after its own words.
    expect(text).toMatch(
      /-- END PROG LOAD LOG --\n0 bpftool-ts: prog 'poisoned': a CO-RE relocation cannot be resolved: there is no type 'struct unknown' in the kernel's types \(.*core\.bpf\.c:\d+\)\n/,
    );
  });

  test('takes an object whose data would not fit in memory for damaged', () => {
    const { error, text } = run('data', {}, undefined, (spec) => {
      const bss = spec.maps.find((m) => m.kind === 'bss');
      if (!bss) throw new Error('no .bss');
      bss.valueSize = 0x7fffffff;
    });
    expect(error).toMatchObject({ errno: 12 });
    expect(text).toContain('failed to set initial contents: -ENOMEM');
  });

  test('poisons the use of a map that is not made', () => {
    const { kernel } = run('maps', { programs: ['use'] }, undefined, (spec) => {
      mapOf(spec, 'typed').autocreate = false;
    });
    const program = kernel.programs.find((p) => p.attr.name === 'use');
    const poisoned = decodeInsns(program?.attr.insns ?? new Uint8Array()).filter((x) => x.imm === 2001000004);
    expect(poisoned).toHaveLength(2);
  });

  test('uses an existing map where one is given', () => {
    const kernel = new RecordingKernel(FILES);
    const fd = kernel.mapCreate({ type: 2, keySize: 4, valueSize: 24, maxEntries: 7, name: 'other' });
    const spec = openObject(file('maps.bpf.o'));
    mapOf(spec, 'sized').reuseFd = fd;
    const loaded = loadObject(kernel, spec);
    expect(loaded.maps.get('sized')).toMatchObject({ fd, reused: true, name: 'other' });
    expect(kernel.maps.some((m) => m.attr.name === 'sized')).toBe(false);
  });

  test('pins a map by its name, finds it the next time, and refuses one of another shape', () => {
    const kernel = new RecordingKernel(FILES);
    const spec = openObject(file('maps.bpf.o'));
    mapOf(spec, 'sized').pinPath = '/sys/fs/bpf/deep/sized';
    loadObject(kernel, spec);
    expect([...kernel.pins.keys()]).toEqual(['/sys/fs/bpf/deep/sized']);
    const again = loadObject(kernel, spec).maps.get('sized');
    expect(again?.reused).toBe(true);
    mapOf(spec, 'sized').maxEntries = 8;
    expect(() => loadObject(kernel, spec)).toThrow(ObjectError);
  });

  test('gives constants that were set before it to the kernel', () => {
    const spec = openObject(file('data.bpf.o'), { path: 'data.bpf.o' });
    const rodata = mapOf(spec, 'data.rodata');
    const changed = new Uint8Array(rodata.initialValue ?? []);
    new DataView(changed.buffer).setUint32(0, 77, true);
    rodata.initialValue = changed;
    const kernel = new RecordingKernel(FILES);
    const loaded = loadObject(kernel, spec);
    const value = kernel.mapLookup(loaded.maps.get(rodata.name)?.fd ?? -1, new Uint8Array(4));
    expect(new DataView(value.buffer).getUint32(0, true)).toBe(77);
  });

  test('asks about features once per kernel', () => {
    const kernel = new RecordingKernel(FILES);
    const spec = openObject(file('data.bpf.o'), { path: 'data.bpf.o' });
    loadObject(kernel, spec);
    const trials = (): number => kernel.programs.filter((p) => isTrial(p.attr.name)).length;
    const before = trials();
    loadObject(kernel, spec);
    // Only the trivial program, by which libbpf tells at each load that loading works at all.
    expect(trials()).toBe(before + 1);
  });

  test('of a damaged object fails as ObjectError, and nothing else', () => {
    const flips = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(fc.constantFrom('maps', 'data', 'calls', 'core'), flips, (name, changes) => {
        const bytes = new Uint8Array(file(`${name}.bpf.o`));
        for (const [at, mask] of changes) bytes[at % bytes.length] ^= mask;
        try {
          loadObject(new RecordingKernel(FILES), openObject(bytes));
        } catch (error) {
          if (!(error instanceof ObjectError)) throw error;
        }
      }),
      { numRuns: 1000 },
    );
  });
});

describe('a struct_ops map', () => {
  const { error, kernel, loaded } = run('ops');
  const map = kernel.maps.find((m) => m.attr.name === 'mine');

  test('is made of the type that wraps the kernel struct of its essential name', () => {
    expect(error).toBeUndefined();
    const btf = Btf.parse(file('kernel.btf'));
    const wrapper = btf.find('bpf_struct_ops_thing_ops', BTF_KIND.STRUCT);
    expect(map?.attr).toMatchObject({
      type: MAP_TYPE.struct_ops,
      valueSize: btf.size(wrapper),
      btfVmlinuxValueTypeId: wrapper,
      btfValueTypeId: 0,
      flags: 0x2000,
    });
    const programs = kernel.programs.filter((p) => !isTrial(p.attr.name));
    const struct = btf.find('thing_ops', BTF_KIND.STRUCT);
    // The expected attach type is the number of the member.
    expect(programs.map(({ attr }) => [attr.name, attr.attachBtfId, attr.expectedAttachType, attr.flags])).toEqual([
      ['act', struct, 1, 0],
      ['idle', struct, 3, 0x10],
    ]);
  });

  test('has its numbers where the kernel keeps them, and descriptors for functions', () => {
    const value = loaded?.maps.get('mine')?.value ?? new Uint8Array();
    const view = new DataView(value.buffer);
    const btf = Btf.parse(file('kernel.btf'));
    const at = (member: string): number => btf.offsetOf('bpf_struct_ops_thing_ops', `data.${member}`);
    expect(view.getUint32(at('flags'), true)).toBe(9);
    expect(view.getUint32(at('newer'), true)).toBe(0);
    expect(new TextDecoder().decode(value.subarray(at('name'), at('name') + 8))).toBe('mine\0\0\0\0');
    expect(view.getBigUint64(at('act'), true)).toBe(BigInt(loaded?.programs.get('act')?.fd ?? -1));
    expect(view.getBigUint64(at('idle'), true)).toBe(BigInt(loaded?.programs.get('idle')?.fd ?? -1));
  });

  test('in an optional section is not made', () => {
    expect(loaded?.maps.has('later')).toBe(false);
  });
});
