import { existsSync, readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { strerror } from '../../errno.ts';
import { ObjectError } from '../errors.ts';
import { Linker } from './linker.ts';

const FOLDER = new URL('../../../testdata/link/', import.meta.url);

/** Cases: objects a.o, b.o…, what bpftool 7.8 made of them, and what it said. */
const CASES = readdirSync(FOLDER).filter((name) => existsSync(new URL(`${name}/messages.txt`, FOLDER)));

const inputsOf = (name: string): { name: string; bytes: Uint8Array }[] =>
  readdirSync(new URL(`${name}/`, FOLDER))
    .filter((file) => /^[a-z]\.o$/.test(file))
    .sort()
    .map((file) => ({ name: file, bytes: readFileSync(new URL(`${name}/${file}`, FOLDER)) }));

const link = (inputs: readonly { name: string; bytes: Uint8Array }[]): { messages: string; bytes?: Uint8Array } => {
  let messages = '';
  const linker = new Linker((level, text) => {
    if (level === 'warn') messages += text;
  });
  for (const { name, bytes } of inputs) {
    try {
      linker.add(bytes, name);
    } catch (error) {
      if (!(error instanceof ObjectError)) throw error;
      messages += `Error: failed to link '${name}': ${strerror(error.errno)} (${error.errno})\n`;
      return { messages: `${messages}exit ${256 - error.errno}\n` };
    }
  }
  return { bytes: linker.finish(), messages: `${messages}exit 0\n` };
};

describe('linking as bpftool gen object does', () => {
  it.each(CASES)('%s: the same bytes and messages', (name) => {
    const expected = new URL(`${name}/linked.o`, FOLDER);
    const { bytes, messages } = link(inputsOf(name));
    expect(messages).toBe(readFileSync(new URL(`${name}/messages.txt`, FOLDER), 'utf8'));
    expect(bytes && Buffer.from(bytes).equals(readFileSync(expected))).toBe(existsSync(expected) ? true : undefined);
  });

  it('a linked object linked alone stays as it is', () => {
    const bytes = readFileSync(new URL('same-section-programs/linked.o', FOLDER));
    const again = link([{ name: 'linked.o', bytes }]).bytes;
    expect(again).toBeDefined();
    expect(link([{ name: 'again.o', bytes: again as Uint8Array }]).bytes).toEqual(again);
  });

  it('a section aligned to petabytes ends in the error of a file that cannot be written', () => {
    const bytes = Uint8Array.from(inputsOf('license-clash')[0].bytes);
    const view = new DataView(bytes.buffer);
    const headers = Number(view.getBigUint64(40, true));
    const [size, count] = [view.getUint16(58, true), view.getUint16(60, true)];
    const code = Array.from({ length: count }, (_, i) => headers + i * size).findLast(
      (at) => view.getUint32(at + 4, true) === 1 && view.getBigUint64(at + 8, true) === 6n,
    ) as number;
    view.setBigUint64(code + 24, 1n << 53n, true);
    view.setBigUint64(code + 32, 0n, true);
    view.setBigUint64(code + 48, 1n << 52n, true);
    const messages: string[] = [];
    const linker = new Linker((level, text) => void (level === 'warn' && messages.push(text)));
    linker.add(bytes, 'a.o');
    expect(() => linker.finish()).toThrow(ObjectError);
    expect(messages).toEqual(['libbpf: failed to write ELF contents: cannot write data to file\n']);
  });

  it('tells at debug level which files it takes', () => {
    const texts: string[] = [];
    const linker = new Linker((level, text) => {
      if (level === 'debug') texts.push(text);
    });
    linker.add(inputsOf('hidden')[0].bytes, 'one.o');
    expect(texts.slice(0, 2)).toEqual([
      "libbpf: linker: adding object file 'one.o'...\n",
      'libbpf: linker: set little-endian output byte order\n',
    ]);
  });
});

describe('hostile objects', () => {
  const sources = ['extern-map', 'kconfig', 'core-relocations', 'same-section-programs', 'tags'].map(inputsOf);

  it('flipped bits give a linked object or an ObjectError', () => {
    const flip = fc.record({
      at: fc.double({ min: 0, max: 0.999999, noNaN: true }),
      bit: fc.integer({ min: 0, max: 7 }),
    });
    fc.assert(
      fc.property(
        fc.constantFrom(...sources),
        fc.boolean(),
        fc.array(flip, { minLength: 1, maxLength: 4 }),
        (inputs, last, flips) => {
          const copies = inputs.map(({ name, bytes }) => ({ name, bytes: Uint8Array.from(bytes) }));
          const { bytes } = copies[last ? copies.length - 1 : 0];
          for (const { at, bit } of flips) bytes[Math.floor(at * bytes.length)] ^= 1 << bit;
          expect(link(copies).messages).toMatch(/exit \d+\n$/);
        },
      ),
      { numRuns: 400 },
    );
  });

  it('a truncated object gives an ObjectError', () => {
    const [first, second] = sources[0];
    for (let length = 0; length < second.bytes.length; length += 7) {
      const { bytes } = link([first, { name: 'b.o', bytes: second.bytes.subarray(0, length) }]);
      expect(bytes).toBeUndefined();
    }
  });
});
