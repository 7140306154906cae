import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { PROG_TYPE } from '../../isa/uapi.ts';
import { openObject } from '../open.ts';
import { RecordingKernel } from '../recording-kernel.ts';
import { generateLoader } from './generate.ts';
import { writeLightHeader } from './header-c.ts';

const file = (name: string): Buffer => readFileSync(new URL(`../../../testdata/light/${name}`, import.meta.url));

/** The header, and the error that it ended with. */
function header(name: string): { text: string; error: string | undefined } {
  const object = openObject(file(`${name}.bpf.o`), { name: `${name}_bpf` });
  let text = '';
  try {
    writeLightHeader(
      object,
      `${name}_bpf`,
      { generate: () => generateLoader(object, { kernel: () => new RecordingKernel() }) },
      (piece) => {
        text += piece;
      },
    );
  } catch (error) {
    return { text, error: (error as Error).message };
  }
  return { text, error: undefined };
}

describe('a light skeleton in C', () => {
  test('is that of bpftool', () => {
    const { text, error } = header('attach');
    expect(text).toBe(file('attach.lskel.h.txt').toString('latin1'));
    expect(error).toBeUndefined();
  });

  test('keeps what was written before the loader could not be made', () => {
    const { text, error } = header('slots');
    expect(text).toBe(file('slots.lskel.h.txt').toString('latin1'));
    expect(error).toBe('Operation not supported');
  });

  test('needs no kernel for most objects', () => {
    const object = openObject(file('attach.bpf.o'), { name: 'attach' });
    const kernel = (): never => {
      throw new Error('a kernel was asked for');
    };
    expect(generateLoader(object, { kernel }).insns.length).toBeGreaterThan(0);
  });

  test('of a raw tracepoint needs the name of one', () => {
    const object = openObject(file('attach.bpf.o'), { name: 'attach' });
    const probe = object.programs.find((program) => program.name === 'probe');
    if (probe) Object.assign(probe, { type: PROG_TYPE.raw_tracepoint, section: 'raw_tp' });
    const source = { generate: () => generateLoader(object, { kernel: () => new RecordingKernel() }) };
    expect(() => writeLightHeader(object, 'attach', source, () => undefined)).toThrow(
      "prog 'probe': section 'raw_tp' names no tracepoint",
    );
  });
});
