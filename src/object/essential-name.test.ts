import { expect, test } from 'vitest';
import { essentialName } from './essential-name.ts';

test('a flavour is what follows the last triple underscore between other letters', () => {
  expect(essentialName('task_struct___old')).toBe('task_struct');
  expect(essentialName('a___b___c')).toBe('a___b');
  expect(essentialName('task_struct')).toBe('task_struct');
});

test('four underscores, or three at an end, are no separator', () => {
  expect(essentialName('a____b')).toBe('a____b');
  expect(essentialName('___b')).toBe('___b');
  expect(essentialName('a___')).toBe('a___');
  expect(essentialName('')).toBe('');
});
