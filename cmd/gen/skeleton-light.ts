// bpftool gen skeleton -L
import { SysError } from '../../src/errno.ts';
import { ObjectError } from '../../src/object/errors.ts';
import { type Generated, generateLoader } from '../../src/object/light/generate.ts';
import { writeLightHeader } from '../../src/object/light/header-c.ts';
import { lightSkeletonSource } from '../../src/object/light/skeleton-ts.ts';
import type { ObjectSpec } from '../../src/object/spec.ts';
import { CliError, type CommandContext, errnoStatus } from '../command.ts';
import { printerOf } from '../prog/load.ts';
import { signatureOf } from '../signing.ts';

/** The loader program of an object. Throws CliError. */
function loaderOf(context: CommandContext, object: ObjectSpec): Generated {
  try {
    return generateLoader(object, {
      print: printerOf(context),
      kernel: () => context.kernel(),
      signed: context.options.sign,
    });
  } catch (error) {
    if (!(error instanceof ObjectError)) throw error;
    throw new CliError('failed to load object file', errnoStatus(error.errno));
  }
}

/** In TypeScript. */
export function lightSkeletonTs(context: CommandContext, object: ObjectSpec, name: string): string {
  if (context.options.sign) throw new CliError("a signed skeleton is written in C only: add 'lang c'");
  return lightSkeletonSource(object, name, loaderOf(context, object));
}

/** In C; what was written before a failure stays. */
export function lightSkeletonC(
  context: CommandContext,
  object: ObjectSpec,
  name: string,
  write: (text: string) => void,
): void {
  try {
    writeLightHeader(
      object,
      name,
      {
        generate: () => loaderOf(context, object),
        sign: context.options.sign ? (insns) => signatureOf(context, insns) : undefined,
      },
      write,
    );
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    throw new CliError(error.message, errnoStatus(error.errno));
  }
}
