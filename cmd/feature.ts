// bpftool feature
import { ATTACH_TYPES, HELPERS, LINK_TYPES, MAP_TYPES, PROG_TYPES } from '../src/isa/uapi.ts';
import { CliError, type CommandContext, type CommandObject, UsageError } from './command.ts';
import { probe } from './feature/probe.ts';
import { isPrefix } from './words.ts';

const GROUPS: readonly [string, readonly string[]][] = [
  ['prog_types', PROG_TYPES],
  ['map_types', MAP_TYPES],
  ['attach_types', ATTACH_TYPES],
  ['link_types', LINK_TYPES],
  ['helpers', HELPERS.map((name) => `bpf_${name}`)],
];

function listBuiltins(context: CommandContext, words: string[]): void {
  const word = words.shift();
  if (word === undefined) throw new UsageError();
  const group = GROUPS.find(([name]) => isPrefix(word, name));
  if (!group) {
    throw new CliError(`expected 'prog_types', 'map_types', 'attach_types', 'link_types' or 'helpers', got: ${word}`);
  }
  const { json } = context;
  json?.startArray();
  for (const name of group[1]) {
    if (json) json.value(name);
    else context.out(`${name}\n`);
  }
  json?.endArray();
}

export const feature: CommandObject = {
  name: 'feature',
  subcommands: [
    { name: 'probe', run: probe },
    { name: 'list_builtins', run: listBuiltins },
  ],
  usage: (bin) => `Usage: ${bin} @ probe [COMPONENT] [full] [unprivileged] [macros [prefix PREFIX]]
       ${bin} @ list_builtins GROUP
       ${bin} @ help

       COMPONENT := { kernel | dev NAME }
       GROUP := { prog_types | map_types | attach_types | link_types | helpers }
       OPTIONS := { {-j|--json} [{-p|--pretty}] | {-d|--debug} }
`,
};
