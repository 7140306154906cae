import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Machine } from '../machine.ts';
import { prepare } from '../program.ts';
import { testProgram } from '../test-programs.ts';
import { answerCase } from './answer.ts';
import type { RunAnswer } from './case.ts';
import { RUN_CASES } from './index.ts';

const read = (name: string): string =>
  readFileSync(new URL(`../../../../testdata/run/${name}`, import.meta.url), 'utf8');
const answers: Record<string, RunAnswer> = JSON.parse(read('cases.json'));
const digests: string[] = JSON.parse(read('random.json'));

describe('programs do what they do in Linux', () => {
  it.each(RUN_CASES.map((theCase) => [theCase.name, theCase] as const))('%s', (name, theCase) => {
    expect(answerCase(theCase)).toEqual(answers[name]);
  });

  it('random ones with arithmetic, jumps, calls, loops, memory and atomics', () => {
    const different: number[] = [];
    digests.forEach((digest, i) => {
      const m = new Machine();
      const { insns, context, mapValue } = testProgram(i + 1, 1);
      const value = m.memory.add({ bytes: mapValue });
      const { base } = m.memory.add({ bytes: context });
      const code = prepare({ name: 'p', insns, immediate: (_, { src }) => (src === 0 ? undefined : value.base) });
      const retval = m.run(code, base) & 0xffffffffn;
      const found = createHash('sha256').update(context).update(String(retval)).digest('hex').slice(0, 8);
      if (found !== digest) different.push(i + 1);
    });
    expect(different).toEqual([]);
    expect(digests.length).toBe(4000);
  });
});
