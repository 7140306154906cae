import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ByteSink, ByteStrings, token } from './byte-sink.ts';

/** The texts one behind the other, each ending with NUL, and where each begins. */
const pack = (texts: readonly string[]) => {
  const offsets: number[] = [];
  let all = Buffer.alloc(0);
  for (const text of texts) {
    offsets.push(all.length);
    all = Buffer.concat([all, Buffer.from(`${text}\0`)]);
  }
  return { strings: new ByteStrings(all), offsets };
};

const collect = (texts: readonly string[], write: (sink: ByteSink, offsets: readonly number[]) => void): string => {
  const { strings, offsets } = pack(texts.length ? texts : ['']);
  const pieces: Buffer[] = [];
  const sink = new ByteSink(strings, (bytes) => pieces.push(Buffer.from(bytes)));
  write(sink, offsets);
  sink.flush();
  return Buffer.concat(pieces).toString('utf8');
};

const name = fc.string({ unit: 'grapheme', maxLength: 30 }).map((text) => text.replaceAll('\0', ''));

describe('ByteSink', () => {
  test('whatever is written comes out in order', () => {
    const ascii = fc.string({ unit: 'grapheme-ascii', maxLength: 40 });
    const piece = fc.oneof(
      fc.record({ kind: fc.constant('token' as const), text: ascii }),
      fc.record({ kind: fc.constant('name' as const), text: name }),
      fc.record({ kind: fc.constant('text' as const), text: name }),
      fc.record({ kind: fc.constant('number' as const), text: fc.nat(0x7fffffff).map(String) }),
    );
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const texts = pieces.map(({ text }) => text);
        const out = collect(texts, (sink, offsets) => {
          pieces.forEach(({ kind, text }, i) => {
            if (kind === 'token') sink.put(token(text));
            else if (kind === 'name') sink.string(offsets[i]);
            else if (kind === 'text') sink.text(text);
            else sink.decimal(Number(text));
          });
        });
        expect(out).toBe(texts.join(''));
      }),
    );
  });

  test('output of many chunks, with names and texts longer than a chunk, is whole', () => {
    const long = 'äbc'.repeat(50_000);
    const line = token('12345678901');
    const out = collect([long, 'end'], (sink, [first, last]) => {
      for (let i = 0; i < 20_000; i++) sink.put(line);
      sink.string(first);
      sink.text(long);
      sink.decimal(7);
      sink.string(last);
    });
    expect(out).toBe(`${'12345678901'.repeat(20_000)}${long}${long}7end`);
  });

  test('numbers have no leading zeros and lose none inside', () => {
    const numbers = [0, 9, 10, 99, 100, 999, 1000, 1001, 9999, 10_000, 999_999, 1_000_000, 1_000_001, 2_147_483_647];
    const out = collect([], (sink) => {
      for (const number of numbers) {
        sink.decimal(number);
        sink.put(token(' '));
      }
      sink.unsigned(-1);
    });
    expect(out).toBe(`${numbers.join(' ')} 4294967295`);
  });

  test('escapes stand in for their bytes', () => {
    const escapes = new Array(256).fill(undefined);
    escapes['"'.charCodeAt(0)] = token('\\"');
    escapes['\n'.charCodeAt(0)] = token('\\n');
    expect(collect(['a"b\nä'], (sink, [at]) => sink.escaped(at, escapes))).toBe('a\\"b\\nä');
  });
});

describe('ByteStrings', () => {
  test('strings are read, measured and compared by their offsets', () => {
    fc.assert(
      fc.property(fc.array(name, { minLength: 1 }), fc.nat(), fc.nat(), (texts, a, b) => {
        const { strings, offsets } = pack(texts);
        const [i, k] = [a % texts.length, b % texts.length];
        expect(strings.at(offsets[i])).toBe(texts[i]);
        expect(strings.lengthAt(offsets[i])).toBe(Buffer.byteLength(texts[i]));
        expect(strings.equal(offsets[i], offsets[k])).toBe(texts[i] === texts[k]);
        expect(strings.is(offsets[i], Buffer.from(texts[k]))).toBe(texts[i] === texts[k]);
      }),
    );
  });

  test('equal strings have equal hashes wherever they lie, at the very end too', () => {
    fc.assert(
      fc.property(name, name, (text, before) => {
        const { strings, offsets } = pack([text, before, text]);
        expect(strings.hash(offsets[2])).toBe(strings.hash(offsets[0]));
      }),
    );
  });
});
