// Checksums and numbers in text.
import { SIZE } from '../../../isa/opcode.ts';
import { exit, load, movImm, movReg, store, storeImm } from '../../rewrite/build.ts';
import { bytesOnStack, FRAME, helper, type RunCase, stackAt, syscall } from './case.ts';

export const CHECKSUMS: RunCase[] = (
  [
    ['000102030405060708090a0b', 0, 4, 0],
    ['000102030405060708090a0b', 0, 8, 0xffff],
    ['ffffffffffffffffffffffff', 4, 8, 1],
    ['fffefdfcfbfaf9f80102ff00', 8, 4, -1],
    ['00000000ffff0000ffff0000', 4, 0, 0x12345],
    ['123456789abcdef0ffeeddcc', 8, 0, 0],
    ['123456789abcdef0ffeeddcc', 0, 0, 0x123456],
    ['123456789abcdef0ffeeddcc', 8, 8, 0xfffff],
  ] as [string, number, number, number][]
).map(([bytes, from, to, seed]) => ({
  name: `csum_diff of ${bytes}: ${from} bytes become ${to}, seed ${seed}`,
  type: 'sched_cls',
  data: FRAME,
  insns: [
    ...bytesOnStack(Buffer.from(bytes, 'hex'), -16),
    storeImm(SIZE.W, 10, -4, 0x01020304),
    ...stackAt(1, -16),
    movImm(2, from),
    ...stackAt(3, -8),
    movImm(4, to),
    movImm(5, seed),
    helper('csum_diff'),
    exit(),
  ],
}));

export const NUMBERS: RunCase[] = (
  [
    ['42', 0],
    ['-42', 0],
    ['0x1f', 0],
    ['0x1f', 16],
    ['017', 0],
    ['019', 0],
    ['  77 ', 10],
    ['9223372036854775807', 10],
    ['-9223372036854775808', 10],
    ['9223372036854775808', 10],
    ['18446744073709551615', 10],
    ['18446744073709551616', 10],
    ['zz', 0],
    ['', 0],
    ['-', 0],
    ['0x', 0],
    ['12', 7],
    ['+5', 10],
  ] as [string, number][]
).flatMap(([text, flags]) =>
  (['strtol', 'strtoul'] as const).map((name) =>
    syscall(`${name} of "${text}" with flags ${flags}`, [
      movReg(6, 1),
      ...bytesOnStack(Buffer.from(text.padEnd(24, '\0')), -24),
      storeImm(SIZE.DW, 10, -32, -1),
      ...stackAt(1, -24),
      movImm(2, 24),
      movImm(3, flags),
      ...stackAt(4, -32),
      helper(name),
      load(SIZE.DW, 1, 10, -32),
      store(SIZE.DW, 6, 1, 0),
      exit(),
    ]),
  ),
);
