import { describe, expect, test } from 'vitest';
import { decodeInsns } from '../../isa/insn.ts';
import { HELPER, MAP_TYPE, PROG_TYPE } from '../../isa/uapi.ts';
import { Messages } from '../print.ts';
import { LoaderProgram } from './loader-program.ts';

const setup = (programs: number, maps: number, signed = false): { loader: LoaderProgram; said: string[] } => {
  const said: string[] = [];
  const messages = new Messages((level, text) => {
    if (level !== 'debug') said.push(text);
  });
  return { loader: new LoaderProgram(messages, programs, maps, signed), said };
};

const ARRAY = { type: MAP_TYPE.array, keySize: 4, valueSize: 8, maxEntries: 1 };
const PROGRAM = { type: PROG_TYPE.xdp, insns: new Uint8Array(16), license: 'GPL', name: 'p' };
const NOTHING = { index: 0, references: [], coreRelos: new Uint8Array() };

describe('a loader program', () => {
  test('of nothing clears its stack, and has a way out', () => {
    const made = setup(0, 0).loader.finish(0, 0);
    if (typeof made === 'number') throw new Error(`errno ${made}`);
    expect(made.data.length).toBe((64 + 256) * 4);
    const helpers = decodeInsns(made.insns)
      .filter(({ code }) => code === 0x85)
      .map(({ imm }) => imm);
    // Two descriptors on the stack: closed after an error, and BTF at the end.
    expect(helpers).toEqual([HELPER.probe_read_kernel, HELPER.sys_close, HELPER.sys_close, HELPER.sys_close]);
  });

  test('jumps over its clean-up, which ends with the error', () => {
    const made = setup(3, 2).loader.finish(3, 2);
    expect(made).toBe(14);
    const { loader } = setup(3, 2);
    for (const name of ['a', 'b']) loader.createMap(ARRAY, name, name === 'a' ? 0 : 1);
    const whole = loader.finish(3, 2);
    if (typeof whole === 'number') throw new Error(`errno ${whole}`);
    const insns = decodeInsns(whole.insns);
    const over = insns.findIndex(({ code }) => code === 0x05);
    const end = over + insns[over].off;
    expect([insns[end - 1], insns[end]].map(({ code, src }) => [code, src])).toEqual([
      [0xbf, 7],
      [0x95, 0],
    ]);
  });

  test('has room for 64 maps', () => {
    const { loader, said } = setup(0, 65);
    for (let i = 0; i < 65; i++) loader.createMap(ARRAY, 'm', i);
    expect(said).toEqual(['libbpf: Total maps exceeds 64\n']);
    expect(loader.finish(0, 65)).toBe(14);
    expect(said[1]).toBe('libbpf: nr_progs 0/0 nr_maps 65/64 mismatch\n');
  });

  test('ends where a jump to the clean-up is too far', () => {
    const { loader } = setup(0, 0);
    for (let i = 0; i < 1200; i++) loader.freezeMap(0);
    expect(typeof loader.finish(0, 0)).toBe('object');
    const far = setup(0, 0).loader;
    for (let i = 0; i < 3000; i++) far.freezeMap(0);
    expect(far.finish(0, 0)).toBe(34);
  });

  test('refuses an attach target that is too long', () => {
    const { loader } = setup(1, 0);
    loader.attachTo('x'.repeat(127), 12);
    loader.loadProgram(PROGRAM, NOTHING);
    expect(typeof loader.finish(1, 0)).toBe('object');
    const long = setup(1, 0).loader;
    long.attachTo('x'.repeat(128), 12);
    expect(long.finish(1, 0)).toBe(28);
  });

  test('writes no gigabytes down', () => {
    const { loader, said } = setup(0, 1);
    loader.createMap(ARRAY, 'm', 0);
    loader.fillMap(0, 0xffffffff);
    expect(loader.finish(0, 1)).toBe(12);
    expect(said).toEqual(['libbpf: map #0: 4294967295 bytes of contents are too many for a loader program\n']);
  });

  test('that is signed leaves sizes and contents as they are', () => {
    const helpers = (signed: boolean): number[] => {
      const { loader } = setup(0, 1, signed);
      loader.createMap(ARRAY, 'm', 0);
      loader.fillMap(0, 8);
      const made = loader.finish(0, 1);
      if (typeof made === 'number') throw new Error(`errno ${made}`);
      return decodeInsns(made.insns)
        .filter(({ code }) => code === 0x85)
        .map(({ imm }) => imm);
    };
    expect(helpers(false)).toContain(HELPER.copy_from_user);
    expect(helpers(true)).not.toContain(HELPER.copy_from_user);
  });

  test('tells where BTF and contents of maps lie in its data', () => {
    const { loader } = setup(0, 1);
    loader.loadBtf(Uint8Array.from([1, 2, 3]));
    loader.createMap(ARRAY, 'm', 0);
    loader.fillMap(0, 8, Uint8Array.from([9, 8, 7, 6, 5]));
    const made = loader.finish(0, 1);
    if (typeof made === 'number') throw new Error(`errno ${made}`);
    const part = ([at, size]: readonly [number, number]): number[] => Array.from(made.data.subarray(at, at + size));
    expect(part(made.btfAt ?? [0, 0])).toEqual([1, 2, 3]);
    expect(part(made.contentsAt.get(0) ?? [0, 0])).toEqual([9, 8, 7, 6, 5, 0, 0, 0]);
  });
});
