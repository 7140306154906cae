// btf dump … format c for OBJECT (ours): what the object needs of the dumped types.
import type { Btf } from '../../src/btf/btf.ts';
import { strerror } from '../../src/errno.ts';
import { BtfExtError } from '../../src/object/btf-ext.ts';
import { type NeededTypes, neededTypes } from '../../src/object/needed-types.ts';
import { Messages } from '../../src/object/print.ts';
import { CliError, type CommandContext, errnoStatus } from '../command.ts';
import { type ObjectTypes, readObjectTypes } from './object-types.ts';
import { onTypes } from './side.ts';
import { errnoOf } from './source.ts';

export const neededByObject = (context: CommandContext, btf: Btf, path: string): NeededTypes => {
  let object: ObjectTypes;
  try {
    object = readObjectTypes(context, path, new Messages(undefined));
  } catch (error) {
    const errno = error instanceof BtfExtError ? error.errno : errnoOf(context, error);
    throw new CliError(`failed to parse BPF object '${path}': ${strerror(errno)}`, errnoStatus(errno));
  }
  return onTypes(() => neededTypes(btf, object.btf, object.ext));
};
