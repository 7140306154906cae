// What every bpftool object has: a table of sub-commands, each a function over the words that follow.
import type { JsonWriter } from '../src/print/json.ts';
import type { Kernel } from '../src/syscall.ts';

/** An error for the user: printed as "Error: …" (or in JSON) with exit status 255, as bpftool does. */
export class CliError extends Error {}

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
  /** -l: kept for compatibility. */
  legacy: boolean;
  /** -L */
  useLoader: boolean;
  /** -B FILE */
  baseBtf: string | undefined;
  /** --table (ours) */
  table: boolean;
}

export interface CommandContext {
  readonly options: GlobalOptions;
  /** Standard output; text goes out as it is. */
  out(text: string | Uint8Array): void;
  /** Standard error. */
  err(text: string): void;
  /** The JSON writer of this run; undefined in plain mode. */
  readonly json: JsonWriter | undefined;
  /** The kernel chosen by --kernel and --state; made and opened at the first call. */
  kernel(): Kernel;
}

/** Runs one sub-command; `words` are those after its name, untouched. Throws CliError or SysError. */
export type Run = (context: CommandContext, words: string[]) => void | Promise<void>;

export interface SubCommand {
  name: string;
  run: Run;
}

/** One object of the command line (prog, map, btf…). The first sub-command is the one for no word at all. */
export interface CommandObject {
  name: string;
  subcommands: readonly SubCommand[];
  /** Usage text after "Usage: ", as `bpftool OBJECT help` prints to standard error. */
  usage(binary: string): string;
}
