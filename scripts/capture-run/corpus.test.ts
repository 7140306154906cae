import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { loadImage } from '../../src/kernel/image/load.ts';
import { RunFault } from '../../src/kernel/run/index.ts';
import { askMachine, type CorpusAnswer, corpusPrograms } from './corpus.ts';

const answers: Record<string, CorpusAnswer> = JSON.parse(
  readFileSync(new URL('../../testdata/run/corpus.json', import.meta.url), 'utf8'),
);
const image = loadImage();

it('programs of the corpus leave what they leave in Linux', () => {
  const different: string[] = [];
  for (const { name, program, open } of corpusPrograms()) {
    if (!(name in answers)) continue;
    try {
      const found = askMachine(image, open, program);
      if (JSON.stringify(found) !== JSON.stringify(answers[name])) different.push(`${name}: ${JSON.stringify(found)}`);
    } catch (error) {
      if (!(error instanceof RunFault)) throw error;
      different.push(`${name}: ${error.message}`);
    }
  }
  expect(different).toEqual([]);
});
