import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAP_TYPE, PROG_TYPE } from '../isa/uapi.ts';
import { ObjectError } from './errors.ts';
import { loadObject } from './load.ts';
import { internalMapName } from './maps.ts';
import { openObject } from './open.ts';
import { RecordingKernel } from './recording-kernel.ts';
import { entryPrograms, RELOC, setProgramType } from './spec.ts';

const NAMES = ['maps', 'data', 'calls', 'core'];
const object = (name: string): Uint8Array =>
  readFileSync(new URL(`../../testdata/object/${name}.bpf.o`, import.meta.url));

describe('an opened object', () => {
  test('names its programs, in the order of sections and offsets, apart from its subprograms', () => {
    const spec = openObject(object('calls'), { path: 'calls.bpf.o' });
    expect(spec.name).toBe('calls');
    expect(spec.license).toBe('GPL');
    expect(entryPrograms(spec).map((p) => p.name)).toEqual(['first', 'second', 'third', 'dormant']);
    expect(spec.programs.filter((p) => p.subprogram).map((p) => [p.name, p.global, p.markStatic])).toEqual([
      ['middle', true, false],
      ['leaf', false, false],
      ['concealed', true, true],
      ['unused', true, false],
      ['each', false, false],
    ]);
  });

  test('of the other byte order has the same programs and maps, and cannot be loaded', () => {
    const file = (order: string): Uint8Array =>
      readFileSync(new URL(`../../testdata/btf-files/program-${order}.o`, import.meta.url));
    const [little, big] = ['bpf', 'bpfeb'].map((order) => openObject(file(order), { name: 'x' }));
    expect(big.programs.map((p) => [p.name, p.insns])).toEqual(little.programs.map((p) => [p.name, p.insns]));
    expect(big.maps.map((m) => [m.name, m.type, m.keySize, m.valueSize, m.maxEntries])).toEqual(
      little.maps.map((m) => [m.name, m.type, m.keySize, m.valueSize, m.maxEntries]),
    );
    expect(big.btfExt?.coreRelos).toEqual(little.btfExt?.coreRelos);
    let said = '';
    const print = (_level: string, text: string): void => {
      said += text;
    };
    expect(() => loadObject(new RecordingKernel(), big, { print })).toThrow('Endian mismatch');
    expect(said).toBe("libbpf: object 'x': loading non-native endianness is unsupported\n");
  });

  test('takes types, attach types and flags from section names', () => {
    const [first, , third, dormant] = entryPrograms(openObject(object('calls')));
    expect(first.type).toBe(PROG_TYPE.sched_cls);
    expect(third).toMatchObject({ type: PROG_TYPE.xdp, expectedAttachType: 37 });
    expect(third.rule?.xdpFrags).toBe(true);
    expect(dormant).toMatchObject({ type: PROG_TYPE.tracing, section: 'fentry.s/anything', autoload: false });
    expect(dormant.rule).toMatchObject({ sleepable: true, attachBtf: true });
  });

  test('forgets what the section says when the type is set by hand', () => {
    const [first] = entryPrograms(openObject(object('calls')));
    setProgramType(first, first.type);
    expect(first.rule).toBeDefined();
    setProgramType(first, PROG_TYPE.xdp);
    expect(first).toMatchObject({ type: PROG_TYPE.xdp, rule: undefined });
  });

  test('has the maps that it declares, then one for each data section, then the configuration', () => {
    const { maps } = openObject(object('data'), { path: 'dir.x/data.bpf.o' });
    expect(maps.map((m) => [m.kind, m.name, m.section])).toEqual([
      ['rodata', 'data.rodata', '.rodata'],
      ['data', 'data.data', '.data'],
      ['data', '.data.named', '.data.named'],
      ['rodata', '.rodata.text', '.rodata.text'],
      ['bss', 'data.bss', '.bss'],
      ['bss', '.bss.shy', '.bss.shy'],
      ['kconfig', 'data.kconfig', '.kconfig'],
    ]);
    // Only variables that others may see make a map that can be mapped into memory.
    expect(maps.map((m) => m.flags)).toEqual([0x480, 0x400, 0x400, 0x480, 0x400, 0, 0x480]);
  });

  test('rounds ring buffers up to a power of two of pages', () => {
    const ring = openObject(object('maps')).maps.find((m) => m.name === 'rounded_ring');
    expect(ring).toMatchObject({ type: MAP_TYPE.ringbuf, maxEntries: 8192 });
  });

  test('knows inner maps and the slots that are filled at load', () => {
    const { maps, programs } = openObject(object('maps'));
    const index = (name: string): number => maps.findIndex((m) => m.name === name);
    const outer = maps[index('outer')];
    expect(outer.inner).toMatchObject({ name: 'outer.inner', type: MAP_TYPE.array, valueSize: 8, maxEntries: 3 });
    expect(outer.slots).toEqual([undefined, index('inner_one'), undefined, index('inner_two')]);
    expect(maps[index('jumps')].slots).toEqual([undefined, undefined, programs.findIndex((p) => p.name === 'step')]);
  });

  test('says of each relocation what it refers to', () => {
    const spec = openObject(object('calls'));
    const second = spec.programs.find((p) => p.name === 'second');
    expect(second?.relocs.map((r) => r.type)).toEqual([RELOC.MAP, RELOC.SUBPROG_ADDR, RELOC.CALL, RELOC.CALL]);
    const third = spec.programs.find((p) => p.name === 'third');
    expect(third?.relocs.map((r) => spec.externs[r.extern].name)).toEqual([
      'not_a_symbol',
      'bpf_not_in_any_kernel',
      'bpf_not_in_any_kernel',
    ]);
  });

  test('names data maps within 15 bytes as libbpf does', () => {
    expect(internalMapName('my_object_name', '.rodata')).toBe('my_objec.rodata');
    expect(internalMapName('my_object_name', '.bss')).toBe('my_objec.bss');
    expect(internalMapName('my_object_name', '.kconfig')).toBe('my_obje.kconfig');
    expect(internalMapName('my_object_name', '.rodata.abracadabra')).toBe('.rodata.abracad');
    expect(internalMapName('a-b', '.data')).toBe('a_b.data');
  });
});

describe('a file that is no object', () => {
  const textOf = (bytes: Uint8Array): string => {
    let text = '';
    expect(() => openObject(bytes, { path: 'x.o', print: (_, line) => (text += line) })).toThrow(ObjectError);
    return text.split('\n').at(-2) ?? '';
  };
  const patched = (name: string, at: number, ...bytes: number[]): Uint8Array => {
    const copy = new Uint8Array(object(name));
    copy.set(bytes, at);
    return copy;
  };

  test('is refused in the words of libbpf', () => {
    expect(textOf(new Uint8Array())).toBe("libbpf: elf: 'x.o' is not a proper ELF object");
    expect(textOf(new TextEncoder().encode('int main(void) { return 0; }'))).toBe(
      "libbpf: elf: 'x.o' is not a proper ELF object",
    );
    expect(textOf(patched('maps', 4, 1))).toBe("libbpf: elf: 'x.o' is not a 64-bit ELF object");
    expect(textOf(patched('maps', 18, 62, 0))).toBe('libbpf: elf: x.o is not a valid eBPF object file');
  });

  test('gives the error number of libbpf', () => {
    expect(() => openObject(new Uint8Array())).toThrow(expect.objectContaining({ errno: 4001 }));
  });

  const attempt = (bytes: Uint8Array): boolean => {
    try {
      openObject(bytes);
      return true;
    } catch (error) {
      if (error instanceof ObjectError) return false;
      throw error;
    }
  };

  test('is refused as such wherever the file was cut off', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...NAMES),
        fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
        (name, part) => {
          const bytes = object(name);
          return !attempt(bytes.subarray(0, Math.floor(bytes.length * part)));
        },
      ),
      { numRuns: 200 },
    );
  });

  test('is opened or refused, and nothing else, whatever bits are flipped', () => {
    const flips = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(fc.constantFrom(...NAMES), flips, (name, changes) => {
        const bytes = new Uint8Array(object(name));
        for (const [at, mask] of changes) bytes[at % bytes.length] ^= mask;
        attempt(bytes);
      }),
      { numRuns: 2000 },
    );
  });

  test('is opened or refused whatever 32-bit words in its BTF and headers are replaced', () => {
    const words = fc.array(
      fc.tuple(fc.nat(), fc.oneof(fc.nat(64), fc.constantFrom(0xffffffff, 0x80000000, 0x7fffffff))),
      {
        minLength: 1,
        maxLength: 4,
      },
    );
    fc.assert(
      fc.property(fc.constantFrom(...NAMES), words, (name, changes) => {
        const bytes = new Uint8Array(object(name));
        const view = new DataView(bytes.buffer);
        for (const [at, value] of changes) view.setUint32(((at % (bytes.length / 4 - 1)) | 0) * 4, value, true);
        attempt(bytes);
      }),
      { numRuns: 2000 },
    );
  });
});
