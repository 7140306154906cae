// Options -S, -k and -i: loader programs that are signed.
import { readFileSync } from 'node:fs';
import { ERRNO, SysError, strerror } from '../src/errno.ts';
import { type Signature, signInsns } from '../src/object/light/sign.ts';
import { CliError, type CommandContext, errnoStatus } from './command.ts';

const readKey = (path: string): Uint8Array => {
  try {
    return readFileSync(path);
  } catch (error) {
    const { errno } = error as NodeJS.ErrnoException;
    throw new SysError('EINVAL', `${path}: ${strerror(-(errno ?? -ERRNO.EIO))}`);
  }
};

/** The signature of a loader by -k and -i. Throws CliError; the reason has been said before. */
export function signatureOf(context: CommandContext, insns: Uint8Array): Signature {
  const { privateKey = '', certificate = '' } = context.options;
  try {
    return signInsns(insns, readKey(privateKey), readKey(certificate));
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    context.info(`Error: ${error.message}`);
    throw new CliError('failed to sign program', errnoStatus(error.errno));
  }
}
