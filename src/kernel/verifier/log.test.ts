import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { VerifierLog } from './log.ts';

describe('VerifierLog', () => {
  it('writes nothing at level 0', () => {
    const log = new VerifierLog(0, 100);
    log.write('x');
    expect([log.text(), log.trueSize, log.finish()]).toEqual(['', 0, '']);
  });

  it('cuts one message at 1023 bytes, but not several joined ones', () => {
    const log = new VerifierLog(1, 1 << 20);
    log.write('a'.repeat(2000));
    expect(log.endPos).toBe(1023);
    log.append('b'.repeat(2000));
    expect(log.endPos).toBe(3023);
  });

  it('takes back what was written after a position and remembers how long it was', () => {
    const log = new VerifierLog(1, 1 << 20);
    log.write('one ');
    log.write('two ');
    log.rewind(6);
    log.write('!');
    expect([log.finish(), log.trueSize]).toEqual(['one tw!', 9]);
    log.rewind(0);
    expect([log.finish(), log.endPos]).toEqual(['', 0]);
  });

  it('keeps the last bytes that fit with their NUL', () => {
    const log = new VerifierLog(1, 8);
    for (const word of ['0123', '4567', '89']) log.write(word);
    expect([log.finish(), log.overflowed, log.trueSize]).toEqual(['3456789', true, 11]);
  });

  it('keeps the first bytes with FIXED', () => {
    const log = new VerifierLog(1 | 8, 8);
    for (const word of ['0123', '4567', '89']) log.write(word);
    expect([log.finish(), log.overflowed]).toEqual(['0123456', true]);
  });

  it('starts an empty window where it goes back before what it still has', () => {
    const log = new VerifierLog(1, 8);
    log.write('0123456789');
    log.rewind(2);
    log.write('ab');
    expect(log.finish()).toBe('ab');
  });

  it('goes back inside the window', () => {
    const log = new VerifierLog(1, 8);
    log.write('01234');
    log.write('56789');
    log.rewind(8);
    log.write('x');
    expect(log.finish()).toBe('34567x');
  });

  it('fits exactly', () => {
    const log = new VerifierLog(1, 8);
    log.write('0123456');
    expect([log.finish(), log.overflowed]).toEqual(['0123456', false]);
  });

  it('forgets a long past without losing the window', () => {
    const log = new VerifierLog(2, 64);
    let all = '';
    for (let i = 0; i < 20000; i++) {
      log.write(`${i} `);
      all += `${i} `;
    }
    expect(log.finish()).toBe(all.slice(-63));
  });

  it('counts without a buffer', () => {
    const log = new VerifierLog(1, 0);
    log.write('abc');
    expect([log.finish(), log.trueSize, log.overflowed]).toEqual(['', 4, false]);
  });

  it('counts bytes, not characters', () => {
    const log = new VerifierLog(1, 1 << 10);
    log.write('; é // naïve\n');
    expect([log.endPos, log.finish()]).toEqual([15, '; é // naïve\n']);
  });

  it('holds what a plain buffer would, however much is written and taken back', () => {
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.record({ count: fc.nat(900), bytes: fc.integer({ min: 1, max: 40 }) }) },
      { weight: 1, arbitrary: fc.record({ back: fc.nat(100_000) }) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 25 }), fc.integer({ min: 1, max: 200_000 }), (steps, size) => {
        const log = new VerifierLog(1, size);
        let text = '';
        let start = 0;
        let n = 0;
        for (const s of steps) {
          if ('back' in s) {
            const position = Math.max(0, text.length - s.back);
            log.rewind(position);
            text = text.slice(0, position);
            start = Math.min(start, position);
            continue;
          }
          for (let i = 0; i < s.count; i++) {
            const word = String.fromCharCode(97 + (n++ % 26)).repeat(s.bytes);
            log.write(word);
            text += word;
            start = Math.max(start, text.length + 1 - size);
          }
        }
        expect(log.endPos).toBe(text.length);
        expect(log.finish()).toBe(text.slice(start));
      }),
      { numRuns: 60 },
    );
  });
});
