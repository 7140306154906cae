import { expect, test } from 'vitest';
import { SysError } from '../../errno.ts';
import { DescriptorTable } from './descriptors.ts';

const map = { kind: 'map', id: 1 } as const;
const prog = { kind: 'prog', id: 1 } as const;

test('the lowest free number is given, from 3 on', () => {
  const table = new DescriptorTable();
  expect([table.install(map), table.install(prog), table.install(map)]).toEqual([3, 4, 5]);
  table.remove(4);
  table.remove(3);
  expect([table.install(map), table.install(map), table.install(map)]).toEqual([3, 4, 6]);
});

test('descriptors of an object are counted', () => {
  const table = new DescriptorTable();
  table.install(map);
  const second = table.install(map);
  expect(table.usesOf(map)).toBe(2);
  table.remove(second);
  expect(table.usesOf(map)).toBe(1);
  expect(table.usesOf(prog)).toBe(0);
  table.clear();
  expect(table.usesOf(map)).toBe(0);
  expect(table.install(prog)).toBe(3);
});

test('a descriptor of another kind is EINVAL, one that is not open EBADF, and standard input is open', () => {
  const table = new DescriptorTable();
  const fd = table.install(map);
  const errno = (n: number): number => {
    try {
      table.get(n, 'prog');
    } catch (e) {
      return (e as SysError).errno;
    }
    return 0;
  };
  expect([errno(fd), errno(0), errno(99), errno(-1)]).toEqual([22, 22, 9, 9]);
  expect(() => table.remove(99)).toThrow(SysError);
});
