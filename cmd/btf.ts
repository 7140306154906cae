// bpftool btf
import { dumpNeeds } from './btf/needs.ts';
import type { CommandObject, Run } from './command.ts';

const show: Run = async (context, words) => (await import('./btf/show.ts')).show(context, words);
const dump: Run = async (context, words, previous) => (await import('./btf/dump.ts')).dump(context, words, previous);
const diff: Run = async (context, words) => (await import('./btf/diff.ts')).diff(context, words);
const layout: Run = async (context, words) => (await import('./btf/layout.ts')).layout(context, words);

export const btf: CommandObject = {
  name: 'btf',
  subcommands: [
    { name: 'show', run: show },
    { name: 'list', run: show },
    { name: 'dump', run: dump, needs: dumpNeeds },
    // Ours.
    { name: 'diff', run: diff },
    { name: 'layout', run: layout },
  ],
  usage: (bin) => `Usage: ${bin} btf { show | list } [id BTF_ID]
       ${bin} btf dump BTF_SRC [format FORMAT] [root_id ROOT_ID]
       ${bin} btf help

       BTF_SRC := { id BTF_ID | prog PROG | map MAP [{key | value | kv | all}] |
                    file FILE [file FILE]... }
       FORMAT  := { raw | c [unsorted] }
       MAP := { id MAP_ID | pinned FILE | name MAP_NAME }
       PROG := { id PROG_ID | pinned FILE | tag PROG_TAG | name PROG_NAME }
       OPTIONS := { {-j|--json} [{-p|--pretty}] | {-d|--debug} |
                    {-B|--base-btf} }
`,
};
