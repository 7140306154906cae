// bpftool gen
import type { CommandObject } from './command.ts';
import { genMinCoreBtf } from './gen/min-core-btf.ts';
import { genObject } from './gen/object.ts';
import { skeleton } from './gen/skeleton.ts';
import { skeletonIn, subskeletonC } from './gen/skeleton-c.ts';

export const gen: CommandObject = {
  name: 'gen',
  subcommands: [
    { name: 'object', run: genObject },
    { name: 'skeleton', run: skeletonIn(skeleton), needs: (_, { useLoader }) => (useLoader ? 'kernel' : 'nothing') },
    { name: 'subskeleton', run: subskeletonC, needs: () => 'nothing' },
    { name: 'min_core_btf', run: genMinCoreBtf },
  ],
  usage: (bin) => `Usage: ${bin} gen object OUTPUT_FILE INPUT_FILE [INPUT_FILE...]
       ${bin} gen skeleton FILE [name OBJECT_NAME]
       ${bin} gen subskeleton FILE [name OBJECT_NAME]
       ${bin} gen min_core_btf INPUT OUTPUT OBJECT [OBJECT...]
       ${bin} gen help

       OPTIONS := { {-j|--json} [{-p|--pretty}] | {-d|--debug} |
                    {-L|--use-loader} | [ {-S|--sign } {-k} <private_key.pem> {-i} <certificate.x509> ]}
`,
};
