// One run of the command line from its words to the exit status, without touching the process.

import type { Btf } from '../src/btf/btf.ts';
import { SysError } from '../src/errno.ts';
import { JsonWriter } from '../src/print/json.ts';
import type { Kernel } from '../src/syscall.ts';
import {
  CliError,
  type CommandContext,
  type CommandObject,
  errnoStatus,
  type GlobalOptions,
  type Need,
  SilentFailure,
  type SubCommand,
  UsageError,
} from './command.ts';
import { byPrefix, OBJECTS } from './objects.ts';
import { type CommandLine, OptionError, parseCommandLine, signingProblem } from './options.ts';
import { sayError } from './say.ts';
import { version } from './version.ts';

/** Where a run writes. */
export interface Output {
  out(text: string | Uint8Array): void;
  err(text: string): void;
}

/** A kernel to use instead of the one that the options name; for tests and for the library. */
export type KernelFactory = (line: Pick<CommandLine, 'state' | 'kernel'>) => Kernel;

const FAILURE = 255;
const BIN = 'bpftool';

const topUsage = (): string => `Usage: ${BIN} [OPTIONS] OBJECT { COMMAND | help }
       ${BIN} batch file FILE
       ${BIN} version

       OBJECT := { prog | map | link | cgroup | perf | net | feature | btf | gen | struct_ops | iter | token }
       OPTIONS := { {-j|--json} [{-p|--pretty}] | {-d|--debug} |
                    {-V|--version} }
`;

/** Everything a command may use. What it needs of the kernel is loaded before it runs, and opened when asked for. */
class RunContext implements CommandContext {
  readonly options: GlobalOptions;
  readonly json: JsonWriter | undefined;
  baseBtf: Btf | undefined;
  private readonly line: CommandLine;
  private readonly output: Output;
  private open: KernelFactory | undefined;
  private image: { file(path: string): Uint8Array | undefined } | undefined;
  private opened: Kernel | undefined;

  constructor(line: CommandLine, output: Output, open: KernelFactory | undefined) {
    this.options = line.options;
    this.line = line;
    this.output = output;
    this.open = open;
    this.json = line.options.json ? new JsonWriter((text) => output.out(text), line.options.pretty) : undefined;
  }

  /** Opens the files of -B; false after saying what is wrong with one. */
  async openBases(): Promise<boolean> {
    if (this.line.bases.length === 0) return true;
    const { openBases } = await import('./base-btf.ts');
    const base = await openBases(this, this.line.bases);
    if (base) this.baseBtf = base;
    return base !== false;
  }

  async prepare(need: Need): Promise<void> {
    if (need === 'nothing' || this.open) return;
    if (need === 'files' && this.line.kernel === 'simulated') {
      const { loadImage } = await import('../src/kernel/image/load.ts');
      this.image = loadImage();
    } else {
      this.open = await kernelFactory(this.line);
    }
  }

  out(text: string | Uint8Array): void {
    this.output.out(text);
  }

  err(text: string): void {
    this.output.err(text);
  }

  info(text: string): void {
    if (!this.json) this.output.err(`${text}\n`);
  }

  kernelFile(path: string): Uint8Array | undefined {
    return this.image ? this.image.file(path) : this.kernel().readFile(path);
  }

  kernel(): Kernel {
    if (!this.open) throw new Error('a command uses the kernel without saying so');
    this.opened ??= this.open(this.line);
    return this.opened;
  }

  /** What a command has opened ends with it; the next one opens the kernel anew. */
  close(): void {
    this.opened?.closeAll();
    this.opened = undefined;
  }
}

function printUsage(context: RunContext, usage: string): void {
  if (context.json) context.json.value(null);
  else context.err(usage);
}

/** Exit status of a failed command after saying what there is to say. */
function report(context: RunContext, error: unknown, usage: string): number {
  if (error instanceof UsageError) {
    printUsage(context, usage);
    return FAILURE;
  }
  if (error instanceof SilentFailure) return error.status;
  if (error instanceof CliError) {
    sayError(context, error.message);
    if (error.withUsage) printUsage(context, usage);
    return error.status;
  }
  if (error instanceof SysError) {
    sayError(context, error.message);
    return errnoStatus(error.errno);
  }
  if (isInputError(error)) {
    sayError(context, error.message);
    return FAILURE;
  }
  throw error;
}

/** Errors of the readers (BTF, ELF, state file…) have classes of their own; JavaScript's own are faults of ours. */
const FAULTS = [TypeError, RangeError, ReferenceError, SyntaxError, EvalError, URIError];
const isInputError = (e: unknown): e is Error =>
  e instanceof Error && e.constructor !== Error && !FAULTS.some((fault) => e instanceof fault);

const HELP: SubCommand = { name: 'help', run: () => undefined };

/** Finds the sub-command and runs it; an unknown word prints the object's help. */
async function runObject(context: RunContext, object: CommandObject, typed: string, words: string[]): Promise<number> {
  const usage = object.usage(BIN).replaceAll('@', typed);
  const [word] = words;
  const sub = word === undefined ? object.subcommands[0] : byPrefix([...object.subcommands, HELP], word);
  if (!sub || sub === HELP) {
    printUsage(context, usage);
    return sub ? 0 : FAILURE;
  }
  const rest = words.slice(1);
  try {
    await context.prepare(sub.needs?.(rest, context.options) ?? 'kernel');
    await sub.run(context, rest, word ?? typed);
    return 0;
  } catch (e) {
    return report(context, e, usage);
  }
}

async function dispatch(context: RunContext, line: CommandLine): Promise<number> {
  if (line.help) {
    printUsage(context, topUsage());
    return 0;
  }
  if (line.version) return version(context);
  if (line.words.length === 0) {
    printUsage(context, topUsage());
    return 0;
  }
  return runCommand(context, line.words);
}

/** One command of the command line or of a batch file: its status, after what went wrong has been told. */
async function runCommand(context: RunContext, words: readonly string[]): Promise<number> {
  try {
    return await findCommand(context, words);
  } catch (error) {
    return report(context, error, topUsage());
  }
}

async function findCommand(context: RunContext, [word, ...words]: readonly string[]): Promise<number> {
  const entry = byPrefix(OBJECTS, word);
  if (!entry || entry.name === 'help') {
    printUsage(context, topUsage());
    return entry ? 0 : FAILURE;
  }
  if (entry.name === 'version') return version(context);
  if (entry.name === 'batch') return runBatch(context, words);
  if (!entry.load) throw new CliError(`bpftool-ts has no '${entry.name}' command`);
  return runObject(context, await entry.load(), word, words);
}

/** Runs the commands of a file until one fails, and says how many there were. */
async function runBatch(context: RunContext, words: readonly string[]): Promise<number> {
  const { json } = context;
  const { batchCommands } = await import('./batch.ts');
  const commands = batchCommands(words);
  let done = 0;
  let status = 0;
  json?.startArray();
  try {
    for (const command of commands) {
      if (json) {
        json.startObject().name('command').startArray();
        for (const word of command) json.value(word);
        json.endArray().name('output');
      }
      status = await runCommand(context, command);
      context.close();
      json?.endObject();
      if (status !== 0) return status;
      done++;
    }
    if (!json) context.out(`processed ${done} commands\n`);
  } catch (error) {
    status = report(context, error, topUsage());
  } finally {
    json?.endArray();
  }
  return status;
}

/** Opens the kernel that the options name. The modules are loaded only when a command needs a kernel. */
async function kernelFactory(line: CommandLine): Promise<KernelFactory> {
  if (line.kernel === 'live') {
    const { openLiveKernel } = await import('../src/live/live-kernel.ts');
    return () => openLiveKernel();
  }
  const { openSimulatedKernel } = await import('../src/kernel/index.ts');
  return ({ state }) => openSimulatedKernel({ statePath: state });
}

/** Runs a command line; gives the exit status. Only faults of bpftool-ts itself are thrown. */
export async function run(argv: readonly string[], output: Output, kernel?: KernelFactory): Promise<number> {
  let line: CommandLine;
  try {
    line = await parseCommandLine(argv);
  } catch (e) {
    if (!(e instanceof CliError)) throw e;
    if (e instanceof OptionError && e.line && !(await new RunContext(e.line, output, kernel).openBases()))
      return FAILURE;
    if (e instanceof OptionError && e.json) {
      const json = new JsonWriter((text) => output.out(text), e.line?.options.pretty ?? false);
      json.startObject().name('error').raw(`"${e.message}"`).endObject().finish();
    } else output.err(`Error: ${e.message}\n${e instanceof OptionError ? topUsage() : ''}`);
    return e.status;
  }
  const context = new RunContext(line, output, kernel);
  if (!(await context.openBases())) {
    context.close();
    return FAILURE;
  }
  const incomplete = line.help ? undefined : signingProblem(line.options);
  if (incomplete) {
    const status = report(context, incomplete, topUsage());
    context.close();
    return status;
  }
  let status: number;
  try {
    status = await dispatch(context, line);
  } finally {
    context.close();
  }
  if (context.json && !(line.help && status === 0)) context.json.finish();
  return status;
}
