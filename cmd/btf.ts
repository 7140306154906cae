// bpftool btf
import { diff } from './btf/diff.ts';
import { dump } from './btf/dump.ts';
import { layout } from './btf/layout.ts';
import { show } from './btf/show.ts';
import type { CommandObject } from './command.ts';

export const btf: CommandObject = {
  name: 'btf',
  subcommands: [
    { name: 'show', run: show },
    { name: 'list', run: show },
    { name: 'dump', run: dump },
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
