// From an object to its loader program: the steps of a load, written down instead of done.
import type { Kernel } from '../../syscall.ts';
import { fillProgramArrays } from '../create-maps.ts';
import { ObjectError } from '../errors.ts';
import { KernelBtf } from '../kernel-btf.ts';
import { asObjectError, prepare } from '../load.ts';
import { loadProgram } from '../load-program.ts';
import { type LoadState, stateOf } from '../load-state.ts';
import { Messages, type Print } from '../print.ts';
import type { ObjectSpec } from '../spec.ts';
import { type Loader, LoaderProgram } from './loader-program.ts';

/** A loader program, and what it will put in the maps. */
export interface Generated extends Loader {
  /** First contents of data maps, configuration values filled in; by index. */
  contents: (Uint8Array | undefined)[];
}

export interface GenerateOptions {
  print?: Print | undefined;
  /** The kernel at hand; asked only for what an object takes from where it is compiled, such as the number of CPUs. */
  kernel: () => Kernel;
  /** Contents and sizes of the maps stay as they are, since a signature will cover them. */
  signed?: boolean;
}

/** The kernel that will run the loader is unknown, and taken for a new one. */
const EVERY_FEATURE = { supports: () => true };
const NO_LOG = { level: 0, size: 0 };

/** A kernel that is opened when something is asked of it, which few objects need. */
const onDemand = (open: () => Kernel): Kernel =>
  new Proxy({} as Kernel, {
    get(_, key) {
      const kernel = open();
      const member: unknown = Reflect.get(kernel, key, kernel);
      return typeof member === 'function' ? member.bind(kernel) : member;
    },
  });

/** Throws ObjectError. Rule: libbpf 1.8, bpf_object__gen_loader. */
export function generateLoader(spec: ObjectSpec, options: GenerateOptions): Generated {
  const messages = new Messages(options.print);
  const kernel = onDemand(options.kernel);
  const parts = stateOf(spec);
  const loader = new LoaderProgram(messages, parts.programs.length, parts.maps.length, options.signed);
  const state: LoadState = {
    ...parts,
    kernel,
    kernelBtf: new KernelBtf(kernel, messages, EVERY_FEATURE),
    messages,
    features: EVERY_FEATURE,
    fdArray: [],
    customBtf: undefined,
    btfFd: -1,
    loader,
    arenaDataOffset: 0,
    jumpTables: [],
  };
  try {
    prepare(state, 0);
  } catch (error) {
    throw asObjectError(error);
  }
  try {
    for (const program of state.programs) {
      if (program.spec.subprogram) continue;
      if (program.autoload) loadProgram(state, program, NO_LOG);
      else messages.debug(() => `prog '${program.spec.name}': skipped loading`);
    }
    fillProgramArrays(state);
    const made = loader.finish(state.programs.length, state.maps.length);
    if (typeof made === 'number') throw new ObjectError(made);
    return { ...made, contents: state.maps.map((map) => map.value) };
  } catch (error) {
    messages.warn(`failed to load object '${spec.path}'`);
    throw asObjectError(error);
  }
}
