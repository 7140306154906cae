// bpftool prog load -L
import { SysError } from '../../src/errno.ts';
import { disasmInsn } from '../../src/isa/disasm.ts';
import { decodeInsns } from '../../src/isa/insn.ts';
import { generateLoader } from '../../src/object/light/generate.ts';
import { LOADER_CTX, MAP_DESC } from '../../src/object/light/layouts.ts';
import type { Loader } from '../../src/object/light/loader-program.ts';
import { LoaderError, LoaderLog, runLoader } from '../../src/object/light/run.ts';
import { xlatedNames, xlatedRows } from '../../src/print/xlated.ts';
import { CliError, type CommandContext, errnoStatus, SilentFailure } from '../command.ts';
import { signatureOf } from '../signing.ts';
import { needWords } from '../words.ts';
import { openFile, printerOf } from './load.ts';

/** Places for maps and programs in the context. */
const PLACES = 64;
/** log_level bits with -d: path, instructions, statistics; and the size of the buffer. */
const LOG_LEVEL = 7;
const LOG_BYTES = (1 << 24) - 1;

/** The loader's own instructions, none of which names a symbol of the kernel. */
function dump(context: CommandContext, { insns }: Loader): void {
  const names = xlatedNames({ info: { jitedKsyms: [] }, symbols: { callBase: 0n, nameAt: () => undefined } });
  for (const { index, insn, next } of xlatedRows(decodeInsns(insns))) {
    context.out(`${String(index).padStart(4)}: ${disasmInsn(insn, next, names)}\n`);
  }
}

function loaderOf(context: CommandContext, file: string): Loader {
  const spec = openFile(context, file);
  try {
    return generateLoader(spec, {
      print: printerOf(context),
      kernel: () => context.kernel(),
      signed: context.options.sign,
    });
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    throw new CliError('failed to load object file', errnoStatus(error.errno));
  }
}

/** prog load -L FILE: everything is loaded by a loader program, and gone with the end of the command. */
export function loadLight(context: CommandContext, words: string[], previous: string): void {
  needWords(words, 1, previous);
  const loader = loaderOf(context, words.shift() as string);
  const log = context.options.debug ? new LoaderLog(LOG_LEVEL, LOG_BYTES) : undefined;
  if (log) dump(context, loader);
  const say = (errno: number, step: string): void =>
    context.err(`err ${errno ? -errno : 0}\n${step}\n${log?.text() ?? '(null)'}`);
  try {
    const place = new Uint8Array(LOADER_CTX.bytes + PLACES * MAP_DESC.bytes);
    const signature = context.options.sign ? signatureOf(context, loader.insns) : undefined;
    runLoader(context.kernel(), loader, place, { log, signature });
  } catch (error) {
    if (!(error instanceof LoaderError)) throw error;
    say(error.errno, error.step);
    throw new SilentFailure(errnoStatus(error.errno));
  }
  if (log) say(0, '(null)');
}
