// bpftool map
import type { CommandObject } from './command.ts';
import { create } from './map/create.ts';
import { dump } from './map/dump.ts';
import { freeze, getnext, lookup, pop, remove, update } from './map/elements.ts';
import { show } from './map/show.ts';
import { pinCommand } from './pinning.ts';
import { selectMap } from './select.ts';

export const map: CommandObject = {
  name: 'map',
  subcommands: [
    { name: 'show', run: show },
    { name: 'list', run: show },
    { name: 'dump', run: dump },
    { name: 'update', run: update },
    { name: 'lookup', run: lookup },
    { name: 'getnext', run: getnext },
    { name: 'delete', run: remove },
    { name: 'pin', run: pinCommand(selectMap) },
    { name: 'create', run: create },
    { name: 'peek', run: lookup },
    { name: 'push', run: update },
    { name: 'enqueue', run: update },
    { name: 'pop', run: pop },
    { name: 'dequeue', run: pop },
    { name: 'freeze', run: freeze },
  ],
  usage: (bin) => `Usage: ${bin} @ { show | list }   [MAP]
       ${bin} @ create     FILE type TYPE key KEY_SIZE value VALUE_SIZE \\
                                  entries MAX_ENTRIES name NAME [flags FLAGS] \\
                                  [inner_map MAP] [offload_dev NAME]
       ${bin} @ dump       MAP
       ${bin} @ update     MAP [key DATA] [value VALUE] [UPDATE_FLAGS]
       ${bin} @ lookup     MAP [key DATA]
       ${bin} @ getnext    MAP [key DATA]
       ${bin} @ delete     MAP  key DATA
       ${bin} @ pin        MAP  FILE
       ${bin} @ event_pipe MAP [cpu N index M]
       ${bin} @ peek       MAP
       ${bin} @ push       MAP value VALUE
       ${bin} @ pop        MAP
       ${bin} @ enqueue    MAP value VALUE
       ${bin} @ dequeue    MAP
       ${bin} @ freeze     MAP
       ${bin} @ help

       MAP := { id MAP_ID | pinned FILE | name MAP_NAME }
       DATA := { [hex] BYTES }
       PROG := { id PROG_ID | pinned FILE | tag PROG_TAG | name PROG_NAME }
       VALUE := { DATA | MAP | PROG }
       UPDATE_FLAGS := { any | exist | noexist }
       TYPE := { hash | array | prog_array | perf_event_array | percpu_hash |
                 percpu_array | stack_trace | cgroup_array | lru_hash |
                 lru_percpu_hash | lpm_trie | array_of_maps | hash_of_maps |
                 devmap | devmap_hash | sockmap | cpumap | xskmap | sockhash |
                 cgroup_storage | reuseport_sockarray | percpu_cgroup_storage |
                 queue | stack | sk_storage | struct_ops | ringbuf | inode_storage |
                 task_storage | bloom_filter | user_ringbuf | cgrp_storage | arena |
                 insn_array | rhash }
       OPTIONS := { {-j|--json} [{-p|--pretty}] | {-d|--debug} |
                    {-f|--bpffs} | {-n|--nomount} }
`,
};
