import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { openObject } from '../open.ts';
import { writeSkeletonC } from './skeleton.ts';

const file = (name: string): Uint8Array => readFileSync(new URL(`../../../testdata/object/${name}`, import.meta.url));
const header = (name: string, given = `${name}_bpf`): string => {
  const bytes = file(`${name}.bpf.o`);
  let text = '';
  writeSkeletonC(openObject(bytes, { name: given }), bytes, given, (piece) => {
    text += piece;
  });
  return text;
};
/** Text around the object's own bytes, and those bytes. */
const split = (text: string): [string, string] => {
  const from = text.indexOf('= "\\\n') + 5;
  const to = text.indexOf('";\n\n\t*sz');
  return [text.slice(0, from) + text.slice(to), text.slice(from, to)];
};

describe('a skeleton in C', () => {
  for (const name of ['data', 'ops']) {
    test(`is that of bpftool: ${name}`, () => {
      expect(split(header(name))[0]).toBe(Buffer.from(file(`expected/${name}.skel.h`)).toString());
    });
  }

  test('holds the object in lines of at most 78 letters', () => {
    const lines = split(header('data'))[1].split('\\\n');
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(78);
    const bytes = lines.join('').match(/\\0|\\x[0-9a-f]{2}/g) ?? [];
    expect(Uint8Array.from(bytes, (b) => (b === '\\0' ? 0 : Number.parseInt(b.slice(2), 16)))).toEqual(
      new Uint8Array(file('data.bpf.o')),
    );
  });

  test('bears the name that it is given', () => {
    const text = header('data', 'other');
    expect(text).toContain('#ifndef __OTHER_SKEL_H__\n');
    expect(text).toContain('\tstruct other__data {\n');
    expect(text).toContain('map->name = "other.data";');
  });
});
