// Global options: what getopt_long(3) makes of the command line in bpftool, on top of yargs.
import yargs from 'yargs';
import { CliError, type GlobalOptions } from './command.ts';

interface OptionSpec {
  name: string;
  short?: string;
  takes?: boolean;
  /** Not one of the real tool's. */
  ours?: boolean;
}

const SPECS: readonly OptionSpec[] = [
  { name: 'json', short: 'j' },
  { name: 'help', short: 'h' },
  { name: 'pretty', short: 'p' },
  { name: 'version', short: 'V' },
  { name: 'bpffs', short: 'f' },
  { name: 'mapcompat', short: 'm' },
  { name: 'nomount', short: 'n' },
  { name: 'debug', short: 'd' },
  { name: 'use-loader', short: 'L' },
  { name: 'base-btf', short: 'B', takes: true },
  { name: 'state', takes: true, ours: true },
  { name: 'kernel', takes: true, ours: true },
  { name: 'table', ours: true },
];

export interface CommandLine {
  options: GlobalOptions;
  help: boolean;
  version: boolean;
  /** --state FILE */
  state: string | undefined;
  /** --kernel simulated|live */
  kernel: 'simulated' | 'live';
  /** Words that are not options, untouched. */
  words: string[];
}

/** An option that getopt would refuse: the message names the word, and the top-level help follows. */
export class OptionError extends CliError {
  /** An option before it had asked for JSON. */
  readonly json: boolean;
  constructor(word: string, json: boolean) {
    super(`unrecognized option '${word}'`);
    this.json = json;
  }
}

/** A long option may be abbreviated as long as only one fits; an exact name wins. */
function longOption(name: string): OptionSpec | undefined {
  const exact = SPECS.find((s) => s.name === name);
  const fitting = SPECS.filter((s) => s.name.startsWith(name));
  return exact ?? (fitting.length === 1 ? fitting[0] : undefined);
}

/** Spells every option out and puts the words behind them, as permutation does. Stops at -h. */
function normalise(argv: readonly string[]): { options: string[]; words: string[] } {
  const options: string[] = [];
  const words: string[] = [];
  const refuse = (word: string): never => {
    throw new OptionError(word, options.includes('--json') || options.includes('--pretty'));
  };
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i];
    if (word === '--') {
      words.push(...argv.slice(i + 1));
      break;
    }
    if (word === '-' || !word.startsWith('-')) {
      words.push(word);
      continue;
    }
    const push = (spec: OptionSpec | undefined, value: string | undefined): void => {
      if (!spec || (value !== undefined && !spec.takes)) refuse(word);
      else if (!spec.takes) options.push(`--${spec.name}`);
      else options.push(`--${spec.name}=${value ?? argv[++i] ?? refuse(word)}`);
    };
    if (word.startsWith('--')) {
      const equals = word.indexOf('=');
      push(
        longOption(equals < 0 ? word.slice(2) : word.slice(2, equals)),
        equals < 0 ? undefined : word.slice(equals + 1),
      );
    } else {
      for (let c = 1; c < word.length; c++) {
        const spec = SPECS.find((s) => s.short === word[c]);
        const rest = word.slice(c + 1);
        if (spec?.takes && rest) {
          push(spec, rest);
          break;
        }
        push(spec, undefined);
        if (spec?.name === 'help') return { options, words };
      }
    }
    if (options.at(-1) === '--help') break;
  }
  return { options, words };
}

/** Reads the whole command line; throws OptionError. */
export function parseCommandLine(argv: readonly string[]): CommandLine {
  const { options, words } = normalise(argv);
  const parsed = yargs(options)
    .version(false)
    .help(false)
    .exitProcess(false)
    .locale('en')
    .options(
      Object.fromEntries(SPECS.map((s) => [s.name, { type: s.takes ? ('string' as const) : ('boolean' as const) }])),
    )
    .parserConfiguration({
      'parse-numbers': false,
      'parse-positional-numbers': false,
      'dot-notation': false,
      'camel-case-expansion': false,
      'boolean-negation': false,
    })
    .parseSync() as Record<string, unknown>;
  const flag = (name: string): boolean => parsed[name] === true;
  const text = (name: string): string | undefined => {
    const value = parsed[name];
    return (Array.isArray(value) ? value.at(-1) : value) as string | undefined;
  };
  const kernel = text('kernel') ?? 'simulated';
  if (kernel !== 'simulated' && kernel !== 'live') {
    throw new CliError(`expected 'simulated' or 'live', got: '${kernel}'?`);
  }
  return {
    options: {
      json: flag('json') || flag('pretty'),
      pretty: flag('pretty'),
      bpffs: flag('bpffs'),
      mapcompat: flag('mapcompat'),
      nomount: flag('nomount'),
      debug: flag('debug'),
      useLoader: flag('use-loader'),
      baseBtf: text('base-btf'),
      table: flag('table'),
    },
    help: flag('help'),
    version: flag('version'),
    state: text('state'),
    kernel,
    words,
  };
}
