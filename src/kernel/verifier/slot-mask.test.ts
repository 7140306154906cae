import { describe, expect, it } from 'vitest';
import { regMaskText, slotMaskText } from './slot-mask.ts';

describe('slotMaskText', () => {
  it('names slots by their offset from the frame pointer, nearest first', () => {
    expect(slotMaskText(0b10101, 0)).toBe('-8,-24,-40');
  });

  it('goes on behind the 32nd slot', () => {
    expect(slotMaskText(1 << 31, 0b11)).toBe('-256,-264,-272');
    expect(slotMaskText(0, 1 << 31)).toBe('-512');
  });

  it('is empty for no slot', () => {
    expect(slotMaskText(0, 0)).toBe('');
  });
});

describe('regMaskText', () => {
  it('names registers in ascending order', () => {
    expect(regMaskText(0b10000010101)).toBe('r0,r2,r4,r10');
  });
});
