// bpftool prog dump xlated|jited
import { writeFileSync } from 'node:fs';
import type { Btf } from '../../src/btf/btf.ts';
import { BAD_LINE_INFO, ProgramLines } from '../../src/print/xlated/program-lines.ts';
import type { XlatedProgram } from '../../src/print/xlated.ts';
import type { CodeArch, ProgInfo, ProgSource } from '../../src/syscall.ts';
import { CliError, type CommandContext, UsageError } from '../command.ts';
import { selectProgs } from '../select.ts';
import { isPrefix, needWords, noMoreWords } from '../words.ts';
import { btfById } from './name.ts';
import { progHeader, progHeaderJson } from './show.ts';

/** `source` (ours): C, BPF, translated BPF and machine code side by side. */
type What = 'xlated' | 'jited' | 'source';

interface DumpOptions {
  what: What;
  /** Where raw bytes go. */
  file: string | undefined;
  opcodes: boolean;
  linum: boolean;
  visual: boolean;
  /** `visual to FILE` (ours): a rendered picture. */
  picture: string | undefined;
  /** `arch NAME` (ours): machine code for another machine. */
  arch: CodeArch | undefined;
}

/** Names of architectures after `arch`. */
const ARCHITECTURES: Readonly<Record<string, CodeArch>> = {
  arm64: 'arm64',
  aarch64: 'arm64',
  'x86-64': 'x86-64',
  x86_64: 'x86-64',
};

function parseOptions(context: CommandContext, what: What, words: string[], count: number): DumpOptions {
  const o: DumpOptions = {
    what,
    file: undefined,
    opcodes: false,
    linum: false,
    visual: false,
    picture: undefined,
    arch: undefined,
  };
  while (words.length > 0) {
    const word = words.shift() as string;
    if (what !== 'source' && isPrefix(word, 'file')) {
      if (words.length === 0) throw new CliError('expected file path');
      if (count > 1) throw new CliError('several programs matched');
      o.file = words.shift();
    } else if (what === 'source') throw new UsageError();
    else if (isPrefix(word, 'opcodes')) o.opcodes = true;
    else if (isPrefix(word, 'visual')) {
      if (count > 1) throw new CliError('several programs matched');
      o.visual = true;
      if (words[0] === 'to') {
        words.shift();
        needWords(words, 1, 'to');
        o.picture = words.shift();
      }
    } else if (isPrefix(word, 'linum')) o.linum = true;
    else if (word === 'arch' && what === 'jited') {
      needWords(words, 1, 'arch');
      o.arch = architecture(words.shift() as string);
    } else throw new UsageError();
  }
  if (o.file !== undefined && (o.opcodes || o.visual || o.linum)) {
    throw new CliError("'file' is not compatible with 'opcodes', 'visual', or 'linum'");
  }
  if (context.json && o.visual) throw new CliError("'visual' is not compatible with JSON output");
  return o;
}

function architecture(name: string): CodeArch {
  const arch = ARCHITECTURES[name];
  if (!arch) throw new CliError(`unknown architecture '${name}', known are ${Object.keys(ARCHITECTURES).join(', ')}`);
  return arch;
}

/**
 * The program with the machine code of another architecture in place of its own, and the names of the functions by the
 * addresses of that code.
 */
function forArch(
  context: CommandContext,
  info: ProgInfo,
  arch: CodeArch,
): { info: ProgInfo; names: Map<bigint, string> } {
  const kernel = context.kernel();
  if (!kernel.progCode) throw new CliError(`'arch' needs the simulated kernel: this one compiles for its own machine`);
  const fd = kernel.fdById('prog', info.id);
  try {
    const { names, ...code } = kernel.progCode(fd, arch);
    return {
      info: { ...info, ...code },
      names: new Map(names.map((name, i) => [code.jitedKsyms[i], name])),
    };
  } catch (error) {
    throw new CliError(`can't compile for ${arch}: ${(error as Error).message}`);
  } finally {
    kernel.close(fd);
  }
}

/** The program with what its printers ask for. */
function program(context: CommandContext, info: ProgInfo, names?: ReadonlyMap<bigint, string>): XlatedProgram {
  const kernel = context.kernel();
  const btf: Btf | undefined = btfById(kernel, info.btfId);
  const found = ProgramLines.of(info);
  if (found === 'bad') context.info(BAD_LINE_INFO);
  const lines = found === 'bad' ? undefined : found;
  const symbols = {
    callBase: kernel.symbolAddress('__bpf_call_base') ?? 0n,
    nameAt: (address: bigint) => names?.get(address) ?? kernel.symbolAt(address),
  };
  return { info, btf, symbols, lines };
}

/** The program as it was loaded, where the kernel keeps it. */
function loadedProgram(context: CommandContext, info: ProgInfo): ProgSource | undefined {
  const kernel = context.kernel();
  if (!kernel.progSource) return undefined;
  const fd = kernel.fdById('prog', info.id);
  try {
    return kernel.progSource(fd);
  } finally {
    kernel.close(fd);
  }
}

async function dumpOne(context: CommandContext, loaded: ProgInfo, o: DumpOptions): Promise<void> {
  const { info, names } = o.arch ? forArch(context, loaded, o.arch) : { info: loaded, names: undefined };
  const bytes = o.what === 'jited' ? info.jited : info.xlated;
  if (bytes.length === 0) {
    throw new CliError(
      o.what === 'jited'
        ? 'error retrieving jit dump: no instructions returned or kernel.kptr_restrict set?'
        : 'error retrieving insn dump: kernel.kptr_restrict set?',
    );
  }
  if (o.file !== undefined) {
    try {
      writeFileSync(o.file, bytes, { mode: 0o600 });
    } catch (e) {
      throw new CliError(`can't open file ${o.file}: ${fileError(e)}`);
    }
    context.json?.value(null);
    return;
  }
  const out = (text: string): void => context.out(text);
  const whole = program(context, info, names);
  if (o.what === 'source') {
    const { printSource, writeSource } = await import('../../src/print/source/print.ts');
    const source = loadedProgram(context, info);
    if (context.json) await writeSource(whole, source, o, context.json);
    else await printSource(whole, source, o, out);
  } else if (o.what === 'jited') {
    const { printJited, writeJited } = await import('../../src/print/jited.ts');
    if (context.json) await writeJited(whole, o, context.json);
    else await printJited(whole, o, out);
  } else if (o.picture !== undefined) {
    const { renderPicture } = await import('../../src/print/picture/render.ts');
    await renderPicture(whole, o, o.picture);
  } else if (o.visual) {
    const { printXlatedGraph } = await import('../../src/print/xlated/graph.ts');
    printXlatedGraph(whole, o, out);
  } else {
    const { printXlated, writeXlated } = await import('../../src/print/xlated.ts');
    if (context.json) writeXlated(whole, o, context.json);
    else printXlated(whole, o, out);
  }
}

const fileError = (e: unknown): string => {
  const code = (e as NodeJS.ErrnoException).code;
  return code === 'ENOENT' ? 'No such file or directory' : code === 'EACCES' ? 'Permission denied' : String(code);
};

/** prog dump xlated|jited PROG … */
export async function dump(context: CommandContext, words: string[]): Promise<void> {
  const { json } = context;
  const kernel = context.kernel();
  const word = words.shift();
  let what: What;
  if (word !== undefined && isPrefix(word, 'jited')) what = 'jited';
  else if (word !== undefined && isPrefix(word, 'xlated')) what = 'xlated';
  else if (word === 'source') what = 'source';
  else throw new CliError(`expected 'xlated' or 'jited', got: ${word ?? '(null)'}`);
  if (words.length < 2) throw new UsageError();
  const fds = selectProgs(context, words);
  const options = parseOptions(context, what, words, fds.length);
  noMoreWords(words);
  const several = fds.length > 1;
  if (several) json?.startArray();
  for (const [i, fd] of fds.entries()) {
    const info = kernel.progInfo(fd);
    if (several && json) {
      json.startObject();
      progHeaderJson(context, json, info);
      json.name('insns');
    } else if (several) context.out(`${progHeader(context, info)}\n`);
    await dumpOne(context, info, options);
    if (several && json) json.endObject();
    else if (several && i < fds.length - 1) context.out('\n');
  }
  if (several) json?.endArray();
}
