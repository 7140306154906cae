// bpftool kernel (ours): makes, empties and describes the simulated kernel.
import { existsSync } from 'node:fs';
import { openSimulatedKernel } from '../src/kernel/index.ts';
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

/** kernel reset: everything goes away; ids begin anew. */
function reset(context: CommandContext, words: string[]): void {
  noMoreWords(words);
  simulated(context).reset();
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
