import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkIds, checkScalarIds, resetIds } from './id-map.ts';
import { testEnv } from './test-env.ts';
import { ADD_CONST32, ADD_CONST64 } from './types.ts';

const start = (): void => {
  const env = testEnv();
  env.idGen = 100;
  resetIds(env);
};

describe('checkIds', () => {
  it('accepts no id for no id only', () => {
    start();
    expect([checkIds(0, 0), checkIds(0, 1), checkIds(1, 0)]).toEqual([true, false, false]);
  });

  it('keeps to the first pairing, both ways', () => {
    start();
    expect(checkIds(5, 9)).toBe(true);
    expect(checkIds(5, 9)).toBe(true);
    expect(checkIds(5, 8)).toBe(false);
    expect(checkIds(6, 9)).toBe(false);
  });

  it('accepts any sequence that a one-to-one renaming explains', () => {
    const ids = fc.array(fc.integer({ min: 1, max: 30 }), { maxLength: 40 });
    fc.assert(
      fc.property(ids, (sequence) => {
        start();
        return sequence.every((id) => checkIds(id, id + 1000));
      }),
    );
  });

  it('starts afresh after a reset', () => {
    start();
    checkIds(5, 9);
    start();
    expect(checkIds(5, 8)).toBe(true);
  });
});

describe('checkScalarIds', () => {
  it('lets a scalar that is tied to nothing stand for any', () => {
    start();
    expect([checkScalarIds(0, 7), checkScalarIds(0, 0)]).toEqual([true, true]);
  });

  it('does not take two scalars without id for one that is shared', () => {
    start();
    expect(checkScalarIds(5, 0)).toBe(true);
    expect(checkScalarIds(5, 0)).toBe(false);
  });

  it('pairs the plain ids of scalars that differ by a constant as well', () => {
    start();
    expect(checkScalarIds(3, 4)).toBe(true);
    expect(checkScalarIds(3 | ADD_CONST64, 6 | ADD_CONST64)).toBe(false);
    start();
    expect(checkScalarIds(3 | ADD_CONST32, 6 | ADD_CONST32)).toBe(true);
    expect(checkScalarIds(3, 6)).toBe(true);
  });
});
