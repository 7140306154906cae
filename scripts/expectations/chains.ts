// Programs that hook into other programs: a chain of loads, each hooking into the one before, of which the last is
// judged.
import { SysError } from '../../src/errno.ts';
import { loadImage } from '../../src/kernel/image/load.ts';
import { openSimulatedKernel } from '../../src/kernel/index.ts';
import { LoadError } from '../../src/object/errors.ts';
import { loadObject } from '../../src/object/load.ts';
import { cloneSpec, type ObjectSpec } from '../../src/object/spec.ts';
import { mismatch } from './messages.ts';

/** A program as `object/program`, and the function of the one before that it hooks into. */
export interface Step {
  load: string;
  into?: string;
}

export interface Chain {
  steps: Step[];
  /** Text that the log of the last load must have, which fails; unset: it loads. */
  message?: string;
}

const image = loadImage();

/** What is wrong with the outcome of a chain; undefined where it is as expected. */
export function runChain({ steps, message }: Chain, open: (object: string) => ObjectSpec): string | undefined {
  const kernel = openSimulatedKernel({ statePath: ':memory:', image });
  let fd = 0;
  try {
    for (const { load, into } of steps) {
      const [object, name] = load.split('/');
      const spec = cloneSpec(open(object));
      for (const program of spec.programs) {
        if (program.name !== name || into === undefined) continue;
        program.attachProgFd = fd;
        program.section = `${program.section.split('/')[0]}/${into}`;
      }
      fd = loadObject(kernel, spec, { programs: [name] }).programs.get(name)?.fd ?? 0;
    }
    return message === undefined ? undefined : 'loads, but must not';
  } catch (e) {
    if (!(e instanceof SysError)) throw e;
    const log = e instanceof LoadError ? e.log : '';
    if (message === undefined) return `does not load: ${e.message} ${log.split('\n').slice(-3).join(' | ')}`;
    return mismatch(log, [{ pattern: message, negative: false, onNextLine: false }]);
  } finally {
    kernel.closeAll();
  }
}
