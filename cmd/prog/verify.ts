// bpftool prog verify (ours): each program of the objects by itself, verified and not kept. Modelled on veristat.
import { readFileSync } from 'node:fs';
import { entryPrograms } from '../../src/object/spec.ts';
import { CliError, type CommandContext, SilentFailure } from '../command.ts';
import { openFile } from './load.ts';
import { parseArguments, sortBy, type VerifyArguments } from './verify/arguments.ts';
import { Budget, writeBudget } from './verify/budget.ts';
import { compareRuns } from './verify/compare.ts';
import { type InputFile, inputFiles } from './verify/inputs.ts';
import { printComparison, printRows } from './verify/print.ts';
import { Progress } from './verify/progress.ts';
import { readSaved } from './verify/saved.ts';
import { forVerifying, type Verdict, verdictOf } from './verify/verdict.ts';

/** Differences from a saved run, or a program above its budget. */
const DIFFERENT = 1;

/** ELF of a machine that is neither BPF nor none: libbpf would refuse it. */
function isForeign(path: string): boolean {
  const head = readFileSync(path).subarray(0, 20);
  if (head.length < 20 || head.readUInt32BE(0) !== 0x7f454c46) return true;
  const machine = head[5] === 2 ? head.readUInt16BE(18) : head.readUInt16LE(18);
  return machine !== 0 && machine !== 247;
}

interface Outcome {
  verdicts: Verdict[];
  /** Files that could not be opened. */
  unreadable: number;
}

/** One file, named by itself. */
const isSingle = (files: readonly InputFile[]): boolean => files.length === 1 && files[0].named;

/** Programs whose logs follow the table: all where a level is given, refused ones of a single file. */
function logsOf(args: VerifyArguments, files: readonly InputFile[]): 'all' | 'refused' | 'none' {
  if (args.level !== undefined) return 'all';
  return isSingle(files) ? 'refused' : 'none';
}

function verifyFiles(context: CommandContext, args: VerifyArguments, files: readonly InputFile[]): Outcome {
  const { programs, filters } = args;
  const { options } = context;
  const alone = isSingle(files);
  const tellsLogs = options.compare === undefined && !options.csv && (options.json || logsOf(args, files) !== 'none');
  const level = args.level ?? (tellsLogs ? undefined : 0);
  const progress = new Progress(files.length, process.stderr);
  const outcome: Outcome = { verdicts: [], unreadable: 0 };
  files.forEach((file, done) => {
    progress.show(done, file.label);
    if (!file.named && isForeign(file.path)) return;
    let spec: ReturnType<typeof openFile>;
    try {
      spec = forVerifying(openFile(context, file.path));
    } catch (e) {
      if (alone || !(e instanceof CliError)) throw e;
      progress.clear();
      context.err(`Error: ${file.path}: ${e.message}\n`);
      outcome.unreadable++;
      return;
    }
    for (const program of entryPrograms(spec)) {
      if (programs.length > 0 && !programs.includes(program.name)) continue;
      if (!filters.wants(file.label, program.name)) continue;
      progress.show(done, `${file.label}/${program.name}`);
      outcome.verdicts.push(verdictOf(context, spec, file.label, program, level));
    }
  });
  progress.clear();
  return outcome;
}

function nothingFound({ programs }: VerifyArguments, files: readonly InputFile[]): CliError {
  if (files.length === 0) return new CliError('no object files');
  const [name] = programs;
  if (name !== undefined)
    return new CliError(`${isSingle(files) ? 'object file has' : 'there is'} no program '${name}'`);
  return new CliError(isSingle(files) ? "object file doesn't contain any bpf program" : 'no program to verify');
}

/** Tells of programs above their budget; their number. */
function checkBudget(context: CommandContext, budget: Budget, verdicts: readonly Verdict[]): number {
  let over = 0;
  for (const { row } of verdicts) {
    const limit = budget.of(row);
    if (limit === undefined || row.insns <= limit) continue;
    over++;
    context.err(
      `${row.file}/${row.program}: ${row.insns} instructions, ${row.insns - limit} over its budget of ${limit}\n`,
    );
  }
  return over;
}

/**
 * prog verify FILE… [program NAME] [log_level N] [columns LIST] [sort LIST] [filter EXPR] [headroom PERCENT].
 * Exit status: 255 where a program is refused; with --compare instead 1 where something differs; 1 above a budget.
 */
export async function verify(context: CommandContext, words: string[], previous: string): Promise<void> {
  const args = parseArguments(words, previous);
  const { options } = context;
  // What cannot be read is told before the work, not after it.
  const saved = options.compare === undefined ? undefined : readSaved(options.compare);
  const budget = options.budget === undefined ? undefined : new Budget(options.budget);
  const files = inputFiles(args.files);
  const { verdicts: all, unreadable } = verifyFiles(context, args, files);
  if (all.length === 0 && unreadable === 0) throw nothingFound(args, files);

  const verdicts = all.filter(({ row }) => args.filters.shows(row));
  sortBy(verdicts, args.sort, ({ row }, column) => row[column]);
  let different = false;
  if (saved) {
    const labels = new Set(files.map(({ label }) => label));
    const whole = files.some(({ named }) => !named);
    const concerns = (file: string, program: string): boolean =>
      (whole || file === '' || labels.has(file)) &&
      (args.programs.length === 0 || args.programs.includes(program)) &&
      args.filters.wants(file, program) &&
      // A program that a filter of values hides is not missing.
      all.length === verdicts.length;
    const rows = verdicts.map(({ row }) => row);
    const comparisons = compareRuns(saved, rows, args.columns, concerns);
    different = comparisons.some(({ state }) => state !== 'same');
    await printComparison(context, comparisons);
  } else {
    await printRows(context, verdicts, args.columns, logsOf(args, files), budget);
  }
  if (options.writeBudget !== undefined) {
    writeBudget(
      options.writeBudget,
      all.map(({ row }) => row),
      args.headroom,
    );
  }
  const over = budget ? checkBudget(context, budget, all) : 0;
  const refused = !saved && all.some(({ row }) => row.errno !== 0);
  if (unreadable > 0 || refused) throw new SilentFailure();
  if (different || over > 0) throw new SilentFailure(DIFFERENT);
}
