import { describe, expect, it } from 'vitest';
import { isKnownOpcode } from './opcodes.ts';

const all = Array.from({ length: 256 }, (_, code) => code);

describe('isKnownOpcode', () => {
  it('knows as many opcodes as the kernel', () => {
    expect(all.filter(isKnownOpcode)).toHaveLength(128);
  });

  it('knows wide immediates, both byte orders, may_goto and far jumps', () => {
    expect([0x18, 0xd4, 0xdc, 0xd7, 0xe5, 0x06].every(isKnownOpcode)).toBe(true);
  });

  it('knows neither internal opcodes nor those of later kernels', () => {
    expect([0x00, 0x0d, 0xf0, 0xf5, 0xc2, 0x3b].filter(isKnownOpcode)).toEqual([]);
  });

  it('extends signs of loads below 8 bytes only', () => {
    expect([0x81, 0x89, 0x91, 0x99].map(isKnownOpcode)).toEqual([true, true, true, false]);
  });
});
