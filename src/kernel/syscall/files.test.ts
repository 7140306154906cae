import { expect, test } from 'vitest';
import { PROG_TYPE } from '../../isa/uapi.ts';
import { openSimulatedKernel } from '../index.ts';
import { TRIVIAL } from './test-victim.ts';

const kernel = openSimulatedKernel({ statePath: ':memory:' });
const text = (path: string): string => Buffer.from(kernel.readFile(path) ?? []).toString('latin1');

test('/proc/kallsyms ends in the functions of loaded programs, oldest first', () => {
  const load = (name: string): number => kernel.progLoad({ type: PROG_TYPE.xdp, insns: TRIVIAL, license: 'GPL', name });
  const first = load('first');
  const unnamed = load('');
  const lines = text('/proc/kallsyms').trimEnd().split('\n').slice(-2);
  const expected = [first, unnamed].map((fd, i) => {
    const info = kernel.progInfo(fd);
    const tag = Buffer.from(info.tag).toString('hex');
    return `${info.jitedKsyms[0].toString(16)} t bpf_prog_${tag}${i === 0 ? '_first' : ''}\t[bpf]`;
  });
  expect(lines).toEqual(expected);
  expect(kernel.symbolAt(kernel.progInfo(unnamed).jitedKsyms[0])).toBe(expected[1].split(' ')[2].split('\t')[0]);
  kernel.close(first);
  expect(text('/proc/kallsyms').trimEnd().split('\n').at(-1)).toBe(expected[1]);
});

test('/proc/uptime tells how long the kernel has been running, as load times do', () => {
  const [up, idle] = text('/proc/uptime').trim().split(' ').map(Number);
  const since = (Date.now() * 1e6 - Number(kernel.bootTime())) / 1e9;
  expect(up).toBeLessThanOrEqual(since);
  expect(since - up).toBeLessThan(5);
  expect(idle).toBeCloseTo(up * kernel.possibleCpus, 1);
});

test('all other files are those of the image', () => {
  expect(text('/proc/sys/kernel/osrelease')).toBe(`${kernel.release}\n`);
  expect(kernel.readFile('/proc/self/maps')).toBeUndefined();
  expect(kernel.readFile('constructor')).toBeUndefined();
});
