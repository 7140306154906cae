// Global options: what getopt_long(3) makes of the command line in bpftool, on top of yargs, which is loaded only when
// there is an option.
import { ERRNO } from '../src/errno.ts';
import { CliError, errnoStatus, type GlobalOptions } from './command.ts';

const INVALID = errnoStatus(ERRNO.EINVAL);

interface OptionSpec {
  name: string;
  short?: string;
  takes?: boolean;
  /** Not one of the real tool's. */
  ours?: boolean;
  /** Has no long form. */
  onlyShort?: boolean;
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
  { name: 'sign', short: 'S' },
  { name: 'k', short: 'k', takes: true, onlyShort: true },
  { name: 'i', short: 'i', takes: true, onlyShort: true },
  { name: 'base-btf', short: 'B', takes: true },
  { name: 'state', takes: true, ours: true },
  { name: 'kernel', takes: true, ours: true },
  { name: 'table', ours: true },
  { name: 'csv', ours: true },
  { name: 'compare', takes: true, ours: true },
  { name: 'budget', takes: true, ours: true },
  { name: 'write-budget', takes: true, ours: true },
];

export interface CommandLine {
  options: GlobalOptions;
  help: boolean;
  version: boolean;
  /** --state FILE */
  state: string | undefined;
  /** --kernel simulated|live */
  kernel: 'simulated' | 'live';
  /** Each -B FILE. */
  bases: readonly BaseOption[];
  /** Words that are not options, untouched. */
  words: string[];
}

/** -B FILE, and the options in front of it that say how a failure with it is told. */
export interface BaseOption {
  path: string;
  json: boolean;
  pretty: boolean;
  debug: boolean;
}

/** An option that getopt would refuse: the message names the word, and the top-level help follows. */
export class OptionError extends CliError {
  /** An option before it had asked for JSON. */
  readonly json: boolean;
  /** What stood in front of it. */
  line: CommandLine | undefined;
  constructor(word: string, json: boolean) {
    super(`unrecognized option '${word}'`);
    this.json = json;
  }
}

/** A long option may be abbreviated as long as only one fits; an exact name wins. */
function longOption(name: string): OptionSpec | undefined {
  const long = SPECS.filter((s) => !s.onlyShort);
  const exact = long.find((s) => s.name === name);
  const unique = (specs: readonly OptionSpec[]): OptionSpec | undefined => {
    const fitting = specs.filter((s) => s.name.startsWith(name));
    return fitting.length === 1 ? fitting[0] : undefined;
  };
  return exact ?? unique(long.filter((s) => !s.ours)) ?? unique(long);
}

interface Normalised {
  options: string[];
  words: string[];
  bases: BaseOption[];
  refused?: OptionError;
}

/** Spells every option out and puts the words behind them, as permutation does. Stops at -h and at what is refused. */
function normalise(argv: readonly string[]): Normalised {
  const found: Normalised = { options: [], words: [], bases: [] };
  try {
    collect(argv, found);
  } catch (error) {
    if (!(error instanceof OptionError)) throw error;
    found.refused = error;
  }
  return found;
}

function collect(argv: readonly string[], { options, words, bases }: Normalised): void {
  const asksJson = (): boolean => options.includes('--json') || options.includes('--pretty');
  const refuse = (word: string): never => {
    throw new OptionError(word, asksJson());
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
      else {
        const path = value ?? argv[++i] ?? refuse(word);
        if (spec.name === 'base-btf') {
          const [pretty, debug] = [options.includes('--pretty'), options.includes('--debug')];
          bases.push({ path, json: asksJson(), pretty, debug });
        }
        options.push(`--${spec.name}=${path}`);
      }
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
        if (spec?.name === 'help') return;
      }
    }
    if (options.at(-1) === '--help') break;
  }
}

/** Values of options that are spelled out, by name. */
async function valuesOf(options: string[]): Promise<Record<string, unknown>> {
  if (options.length === 0) return {};
  const { default: yargs } = await import('yargs');
  return yargs(options)
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
}

/** What is wrong with the options for signing, which the real tool tells before it looks at the command. */
export function signingProblem({ sign, privateKey, certificate }: GlobalOptions): CliError | undefined {
  if (sign && (privateKey === undefined || certificate === undefined)) {
    return new CliError('-i <identity_x509_cert> and -k <private_key> must be supplied with -S for signing', INVALID);
  }
  if (!sign && (privateKey !== undefined || certificate !== undefined)) {
    return new CliError(
      '--sign (or -S) must be explicitly passed with -i <identity_x509_cert> and -k <private_key> to sign the programs',
      INVALID,
    );
  }
  return undefined;
}

/** Reads the whole command line; throws OptionError. */
export async function parseCommandLine(argv: readonly string[]): Promise<CommandLine> {
  const { options, words, bases, refused } = normalise(argv);
  const parsed = await valuesOf(options);
  const flag = (name: string): boolean => parsed[name] === true;
  const text = (name: string): string | undefined => {
    const value = parsed[name];
    return (Array.isArray(value) ? value.at(-1) : value) as string | undefined;
  };
  const kernel = text('kernel') ?? 'simulated';
  if (kernel !== 'simulated' && kernel !== 'live') {
    throw new CliError(`expected 'simulated' or 'live', got: '${kernel}'?`);
  }
  const line: CommandLine = {
    options: {
      json: flag('json') || flag('pretty'),
      pretty: flag('pretty'),
      bpffs: flag('bpffs'),
      mapcompat: flag('mapcompat'),
      nomount: flag('nomount'),
      debug: flag('debug'),
      useLoader: flag('use-loader') || flag('sign'),
      sign: flag('sign'),
      privateKey: text('k'),
      certificate: text('i'),
      baseBtf: text('base-btf'),
      table: flag('table'),
      csv: flag('csv'),
      compare: text('compare'),
      budget: text('budget'),
      writeBudget: text('write-budget'),
    },
    help: flag('help'),
    version: flag('version'),
    state: text('state'),
    kernel,
    bases,
    words,
  };
  if (!refused) return line;
  refused.line = line;
  throw refused;
}
