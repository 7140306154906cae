// What every bpftool object has: a table of sub-commands, each a function over the words that follow.
import type { Btf } from '../src/btf/btf.ts';
import type { JsonWriter } from '../src/print/json.ts';
import type { Kernel } from '../src/syscall.ts';

/** An error for the user: printed as "Error: …" (or in JSON), and the exit status that goes with it. */
export class CliError extends Error {
  readonly status: number;
  /** Whether the help of the object follows the message. */
  readonly withUsage: boolean;
  constructor(message: string, status = 255, withUsage = false) {
    super(message);
    this.status = status;
    this.withUsage = withUsage;
  }
}

/** Wrong words where bpftool prints the help of the object instead of an error (in JSON: null). */
export class UsageError extends Error {}

/** A failure that prints nothing of its own: what there was to say has been said. */
export class SilentFailure extends Error {
  readonly status: number;
  constructor(status = 255) {
    super('');
    this.status = status;
  }
}

/** Exit status of a command that returns -errno. */
export const errnoStatus = (errno: number): number => -errno & 0xff;

/** Global options. */
export interface GlobalOptions {
  json: boolean;
  pretty: boolean;
  /** -f: show pinned paths. */
  bpffs: boolean;
  /** -m */
  mapcompat: boolean;
  /** -n */
  nomount: boolean;
  /** -d */
  debug: boolean;
  /** -L, or -S */
  useLoader: boolean;
  /** -S: loader programs are signed */
  sign: boolean;
  /** -k FILE */
  privateKey: string | undefined;
  /** -i FILE */
  certificate: string | undefined;
  /** -B FILE */
  baseBtf: string | undefined;
  /** --table (ours) */
  table: boolean;
  /** --csv (ours) */
  csv: boolean;
  /** --compare FILE, --budget FILE, --write-budget FILE (ours), of `prog verify` */
  compare: string | undefined;
  budget: string | undefined;
  writeBudget: string | undefined;
}

export interface CommandContext {
  readonly options: GlobalOptions;
  /** What -B FILE holds. */
  readonly baseBtf: Btf | undefined;
  /** Standard output; text goes out as it is. */
  out(text: string | Uint8Array): void;
  /** Information such as bpftool's p_info: standard error in plain mode, nothing in JSON. */
  info(text: string): void;
  /** Standard error. */
  err(text: string): void;
  /** A file that the kernel shows, undefined where it shows none; a kernel whose image tells is not opened for it. */
  kernelFile(path: string): Uint8Array | undefined;
  /** The JSON writer of this run; undefined in plain mode. */
  readonly json: JsonWriter | undefined;
  /** The kernel chosen by --kernel and --state; made and opened at the first call. */
  kernel(): Kernel;
}

/**
 * Runs one sub-command; `words` are those after its name, untouched, `previous` is the word before them as it was typed.
 * May be async. Throws CliError and its siblings.
 */
export type Run = (context: CommandContext, words: string[], previous: string) => unknown;

/** What of the kernel a command may use: all, the files that are the same at every moment, or nothing. */
export type Need = 'kernel' | 'files' | 'nothing';

export interface SubCommand {
  name: string;
  run: Run;
  /** What these words need, so that no more is loaded; the kernel unless given. */
  needs?(words: readonly string[], options: GlobalOptions): Need;
}

/** One object of the command line (prog, map, btf…). The first sub-command is the one for no word at all. */
export interface CommandObject {
  name: string;
  subcommands: readonly SubCommand[];
  /** Usage text after "Usage: ", as `bpftool OBJECT help` prints to standard error. */
  usage(binary: string): string;
}
