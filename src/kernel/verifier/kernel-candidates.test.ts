import { describe, expect, it } from 'vitest';
import { essentialNameLength } from './kernel-candidates.ts';

const essential = (name: string): string => name.slice(0, essentialNameLength(name));

describe('essentialNameLength', () => {
  it('cuts the flavour off', () => {
    expect(essential('task_struct___old')).toBe('task_struct');
    expect(essential('a___b___c')).toBe('a___b');
  });

  it('leaves names whose underscores separate nothing', () => {
    for (const name of ['sk_buff', '___x', 'x___', 'a____b', 'a__b', '']) expect(essential(name)).toBe(name);
  });
});
