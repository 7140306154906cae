import { describe, expect, test } from 'vitest';
import { Btf } from '../../btf/btf.ts';
import { BtfBuilder } from '../../btf/encode.ts';
import { jhash } from './jhash.ts';
import { kernelCandidates, tellCandidates } from './kernel-candidates.ts';

const structs = (...names: string[]): Btf => {
  const builder = new BtfBuilder();
  for (const name of names) builder.addStruct(name, 0, []);
  return Btf.parse(builder.bytes());
};
const told = (kernel: Btf): string => {
  let text = '';
  tellCandidates(kernel, (piece) => {
    text += piece;
  });
  return text;
};

describe('jhash', () => {
  // Places in a table of 31, as logs of Linux 6.18 show them.
  test.each([
    ['bpf_prog_aux', 3],
    ['bpf_cpumask', 4],
    ['bpf_iter__bpf_prog', 6],
    ['pid_type', 10],
    ['bpf_iter__bpf_map', 12],
    ['btf', 13],
    ['bpf_iter_meta', 18],
    ['local_type_wont_be_accepted', 22],
    ['task_struct', 24],
    ['bpf_prog', 26],
    ['bpf_map', 28],
    ['no_such', 29],
  ])('%s', (name, slot) => {
    expect(jhash(Buffer.from(name)) % 31).toBe(slot);
  });

  test('of nothing is where it begins', () => {
    expect(jhash(new Uint8Array())).toBe(0xdeadbeef);
  });
});

describe('candidates', () => {
  test('are all types of the essential name, and the name goes without flavour', () => {
    const kernel = structs('task_struct', 'task', 'task_struct___other');
    expect(kernelCandidates(kernel, structs('task_struct___old'), 1)).toEqual({ name: 'task_struct', ids: [1, 3] });
    expect(told(kernel)).toBe('vmlinux_cand_cache:[24]task_struct(1 3), \nmodule_cand_cache:\n');
  });

  test('that are none are looked for in modules too', () => {
    const kernel = structs('task_struct');
    expect(kernelCandidates(kernel, structs('no_such'), 1)?.ids).toEqual([]);
    kernelCandidates(kernel, structs('btf'), 1);
    expect(told(kernel)).toBe(
      'vmlinux_cand_cache:[13]btf(), [29]no_such(), \nmodule_cand_cache:[13]btf(), [29]no_such(), \n',
    );
  });

  test('are kept by name alone', () => {
    const kernel = structs('task_struct');
    kernelCandidates(kernel, structs('task_struct'), 1);
    const union = new BtfBuilder();
    union.addUnion('task_struct', 0, []);
    expect(kernelCandidates(kernel, Btf.parse(union.bytes()), 1)?.ids).toEqual([1]);
  });

  test('need a name', () => {
    expect(kernelCandidates(structs('x'), structs(''), 1)).toBeUndefined();
  });
});
