// bpftool kernel (ours): makes, empties and describes the simulated kernel.
import { existsSync } from 'node:fs';
import { openSimulatedKernel } from '../src/kernel/index.ts';
import { discardState } from '../src/kernel/store/inspect-file.ts';
import { StateError, type StateProblem } from '../src/kernel/store/state-error.ts';
import type { SimulatedKernel } from '../src/kernel/syscall/simulated.ts';
import { CliError, type CommandContext, type CommandObject } from './command.ts';
import { noMoreWords } from './words.ts';

function simulated(context: CommandContext): SimulatedKernel {
  const kernel = context.kernel();
  if (kernel.kind !== 'simulated') throw new CliError('this command is about the simulated kernel');
  return kernel as SimulatedKernel;
}

/** kernel show */
function show(context: CommandContext, words: string[]): void {
  noMoreWords(words);
  const kernel = simulated(context);
  const counts = kernel.counts();
  const { json } = context;
  const facts = {
    release: kernel.release,
    machine: kernel.image.machine,
    possible_cpus: kernel.possibleCpus,
    state: kernel.statePath,
    bytes: kernel.stateSize(),
  };
  if (json) {
    json.startObject();
    for (const [name, value] of Object.entries({ ...facts, ...counts })) json.field(name, value);
    json.endObject();
    return;
  }
  context.out(`Linux ${facts.release} ${facts.machine}, ${facts.possible_cpus} CPUs, simulated
\tstate ${facts.state}  ${facts.bytes}B
\tprogs ${counts.prog}  maps ${counts.map}  btf ${counts.btf}  links ${counts.link}  pins ${counts.pins}
`);
}

/** kernel init [FILE]: makes a state file where there is none. */
function init(context: CommandContext, words: string[]): void {
  const file = words.shift();
  noMoreWords(words);
  if (file === undefined) simulated(context);
  else {
    if (existsSync(file)) throw new CliError(`can't make ${file}: it is there already`);
    openSimulatedKernel({ statePath: file }).closeAll();
  }
  context.json?.value(null);
}

/** What making the file anew is the cure for. */
const CURABLE: ReadonlySet<StateProblem> = new Set(['damaged', 'version']);

/** kernel reset: everything goes away; ids begin anew. Also for a state that cannot be opened any more. */
function reset(context: CommandContext, words: string[]): void {
  noMoreWords(words);
  try {
    simulated(context).reset();
  } catch (error) {
    if (!(error instanceof StateError && CURABLE.has(error.problem) && discardState(error.path))) throw error;
    simulated(context);
  }
  context.json?.value(null);
}

export const kernel: CommandObject = {
  name: 'kernel',
  subcommands: [
    { name: 'show', run: show },
    { name: 'init', run: init },
    { name: 'reset', run: reset },
  ],
  usage: (bin) => `Usage: ${bin} kernel show
       ${bin} kernel init [FILE]
       ${bin} kernel reset
       ${bin} kernel help

       OPTIONS := { {-j|--json} [{-p|--pretty}] | --state FILE }
`,
};
