import { describe, expect, it } from 'vitest';
import { readRecord, recordCount } from './info-records.ts';

const records = (recSize: number, ...bytes: number[]) => ({ recSize, bytes: Uint8Array.from(bytes) });

describe('records of other sizes', () => {
  it('fills short records with zeros', () => {
    expect(readRecord(records(4, 1, 0, 0, 0), 0, 8)?.getBigUint64(0, true)).toBe(1n);
  });

  it('takes long records whose tail is zero, and no others', () => {
    const two = records(12, ...[1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0], ...[3, 0, 0, 0, 4, 0, 0, 0, 0, 0, 9, 0]);
    expect(recordCount(two)).toBe(2);
    expect(readRecord(two, 0, 8)?.getUint32(4, true)).toBe(2);
    expect(readRecord(two, 1, 8)).toBeUndefined();
  });

  it('counts whole records', () => {
    expect(recordCount(records(8, 1, 2, 3, 4, 5, 6, 7, 8, 9))).toBe(1);
    expect(recordCount(undefined)).toBe(0);
    expect(recordCount(records(0, 1))).toBe(0);
  });
});
