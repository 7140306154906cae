// One run of the command line from its words to the exit status, without touching the process.
import { SysError } from '../src/errno.ts';
import { JsonWriter } from '../src/print/json.ts';
import type { Kernel } from '../src/syscall.ts';
import {
  CliError,
  type CommandContext,
  type CommandObject,
  errnoStatus,
  type GlobalOptions,
  SilentFailure,
  UsageError,
} from './command.ts';
import { byPrefix, OBJECTS } from './objects.ts';
import { type CommandLine, OptionError, parseCommandLine } from './options.ts';
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

/** Everything a command may use; the kernel is opened when first asked for. */
class RunContext implements CommandContext {
  readonly options: GlobalOptions;
  readonly json: JsonWriter | undefined;
  private readonly output: Output;
  private readonly open: () => Kernel;
  private opened: Kernel | undefined;

  constructor(options: GlobalOptions, output: Output, open: () => Kernel) {
    this.options = options;
    this.output = output;
    this.open = open;
    this.json = options.json ? new JsonWriter((text) => output.out(text), options.pretty) : undefined;
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

  kernel(): Kernel {
    this.opened ??= this.open();
    return this.opened;
  }

  close(): void {
    this.opened?.closeAll();
  }
}

/** bpftool's p_err: into the JSON stream, unescaped, or to standard error. */
function printError(context: RunContext, message: string): void {
  if (context.json) context.json.startObject().name('error').raw(`"${message}"`).endObject();
  else context.err(`Error: ${message}\n`);
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
    printError(context, error.message);
    if (error.withUsage) printUsage(context, usage);
    return error.status;
  }
  if (error instanceof SysError) {
    printError(context, error.message);
    return errnoStatus(error.errno);
  }
  if (isInputError(error)) {
    printError(context, error.message);
    return FAILURE;
  }
  throw error;
}

/** Errors of the readers (BTF, ELF, state file…) have classes of their own; JavaScript's own are faults of ours. */
const FAULTS = [TypeError, RangeError, ReferenceError, SyntaxError, EvalError, URIError];
const isInputError = (e: unknown): e is Error =>
  e instanceof Error && e.constructor !== Error && !FAULTS.some((fault) => e instanceof fault);

const HELP = { name: 'help', run: () => undefined };

/** Finds the sub-command and runs it; an unknown word prints the object's help. */
async function runObject(context: RunContext, object: CommandObject, typed: string, words: string[]): Promise<number> {
  const usage = object.usage(BIN).replaceAll('@', typed);
  const [word] = words;
  const sub = word === undefined ? object.subcommands[0] : byPrefix([...object.subcommands, HELP], word);
  if (!sub || sub === HELP) {
    printUsage(context, usage);
    return sub ? 0 : FAILURE;
  }
  try {
    await sub.run(context, words.slice(1), word ?? typed);
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
  const [word, ...words] = line.words;
  if (word === undefined) {
    printUsage(context, topUsage());
    return 0;
  }
  const entry = byPrefix(OBJECTS, word);
  if (!entry || entry.name === 'help') {
    printUsage(context, topUsage());
    return entry ? 0 : FAILURE;
  }
  if (entry.name === 'version') return version(context);
  if (!entry.load) throw new CliError(`bpftool-ts has no '${entry.name}' command`);
  return runObject(context, await entry.load(), word, words);
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

const NEEDS_NO_KERNEL: ReadonlySet<string> = new Set(['help', 'version']);

/** Runs a command line; gives the exit status. Only faults of bpftool-ts itself are thrown. */
export async function run(argv: readonly string[], output: Output, kernel?: KernelFactory): Promise<number> {
  let line: CommandLine;
  try {
    line = parseCommandLine(argv);
  } catch (e) {
    if (!(e instanceof CliError)) throw e;
    if (e instanceof OptionError && e.json) output.out(`{"error":"${e.message}"}\n`);
    else output.err(`Error: ${e.message}\n${e instanceof OptionError ? topUsage() : ''}`);
    return e.status;
  }
  const entry = line.words.length > 0 ? byPrefix(OBJECTS, line.words[0]) : undefined;
  const idle = !entry?.load || NEEDS_NO_KERNEL.has(entry.name);
  const open = kernel ?? (idle ? undefined : await kernelFactory(line));
  const context = new RunContext(line.options, output, () => (open as KernelFactory)(line));
  let status: number;
  try {
    status = await dispatch(context, line);
  } catch (e) {
    status = report(context, e, topUsage());
  } finally {
    context.close();
  }
  if (context.json && !(line.help && status === 0)) context.json.finish();
  return status;
}
