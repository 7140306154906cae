// bpftool btf dump
import { type Btf, BtfError } from '../../src/btf/btf.ts';
import { dumpC } from '../../src/btf/dump-c.ts';
import { dumpRaw } from '../../src/btf/dump-raw.ts';
import { ERRNO } from '../../src/errno.ts';
import { CliError, type CommandContext, errnoStatus, SilentFailure } from '../command.ts';
import { because, selectMapInfo, selectProg } from '../select.ts';
import { isPrefix, needWords, needWordsOrHelp, parseU32 } from '../words.ts';
import { SYSFS_BTF, VMLINUX } from './paths.ts';
import { compileForLongRun, compileForShortRun } from './short-run.ts';
import { btfOfFile, btfOfFiles, btfOfId, sayWarning, vmlinuxBase } from './source.ts';

const MAX_ROOTS = 16;
const MAX_FILES = 64;

const INVALID = errnoStatus(ERRNO.EINVAL);
const TOO_BIG = errnoStatus(ERRNO.E2BIG);

/** What to dump: opened data, or the id of an object that is opened once all words are read. */
interface Source {
  btf?: Btf;
  id?: number;
  /** Types that the source itself chooses; undefined leaves the choice to root_id. */
  roots?: number[];
}

type TakeSource = (context: CommandContext, words: string[], base: Btf | undefined) => Source;

/** Which types of a map are dumped, by the word behind it. */
const MAP_PARTS = ['key', 'value', 'all', 'kv'] as const;

const fromMap: TakeSource = (context, words) => {
  const { fd, info } = selectMapInfo(context, words);
  context.kernel().close(fd);
  const key = info.btfKeyTypeId;
  const value = info.btfValueTypeId;
  const word = words[0];
  const part = word === undefined ? undefined : MAP_PARTS.find((name) => isPrefix(word, name));
  if (part) words.shift();
  const roots = { key: [key], value: [value], all: undefined, kv: [key, value] }[part ?? 'kv'];
  return { id: info.btfId, ...(roots && { roots }) };
};

const fromProg: TakeSource = (context, words) => {
  const fd = selectProg(context, words);
  const kernel = context.kernel();
  try {
    return { id: kernel.progInfo(fd).btfId };
  } catch (error) {
    throw because("can't get prog info", error);
  } finally {
    kernel.close(fd);
  }
};

const fromId: TakeSource = (_context, words) => ({ id: parseU32(words.shift() as string, 'ID') });

const fromFiles: TakeSource = (context, words, base) => {
  const files: string[] = [];
  const take = (): void => {
    const path = words.shift() as string;
    if (path === VMLINUX) {
      context.info(`skipping ${VMLINUX} (will be loaded as base)`);
      return;
    }
    if (files.length >= MAX_FILES) throw new CliError(`too many BTF files (max ${MAX_FILES})`, TOO_BIG);
    files.push(path);
  };
  take();
  while (words.length && isPrefix(words[0], 'file')) {
    const keyword = words.shift() as string;
    needWords(words, 1, keyword, INVALID);
    take();
  }
  const known = base ?? (files.some((path) => path.startsWith(SYSFS_BTF)) ? vmlinuxBase(context) : undefined);
  if (files.length > 1) {
    if (!known) {
      throw new CliError(
        'base BTF is required when merging multiple BTF files; use -B/--base-btf or use sysfs paths',
        INVALID,
      );
    }
    compileForLongRun();
    return { btf: btfOfFiles(context, files, known) };
  }
  return { btf: btfOfFile(context, files[0] ?? VMLINUX, known) };
};

/** In the order in which abbreviations are tried. */
const SOURCES: readonly (readonly [string, TakeSource, boolean])[] = [
  ['map', fromMap, true],
  ['prog', fromProg, true],
  ['id', fromId, false],
  ['file', fromFiles, false],
];

const takeSource = (context: CommandContext, words: string[], base: Btf | undefined, previous: string): Source => {
  needWordsOrHelp(words, 2, previous);
  const word = words.shift() as string;
  const source = SOURCES.find(([name]) => isPrefix(word, name));
  if (!source) throw new CliError(`unrecognized BTF source specifier: '${word}'`);
  const [, take, hasHandle] = source;
  if (hasHandle) needWordsOrHelp(words, 2, word);
  return take(context, words, base);
};

/** The words of the formats. */
const FORMATS: ReadonlySet<string> = new Set(['c', 'raw']);

interface DumpOptions {
  format: 'raw' | 'c';
  /** `for OBJECT` (ours): only what this object needs. */
  object?: string;
  sorted: boolean;
  roots: readonly number[];
  kfuncs?: ReadonlySet<number>;
}

const takeFormat = (words: string[]): 'raw' | 'c' => {
  const word = words.shift();
  if (word === undefined) throw new CliError("expecting value for 'format' option\n", INVALID);
  if (word === 'c' || word === 'raw') return word;
  throw new CliError(`unrecognized format specifier: '${word}', possible values: raw, c`, INVALID);
};

const takeRoot = (words: string[], roots: readonly number[], chosen: boolean): number => {
  if (chosen) throw new CliError('cannot use root_id with other type filtering', INVALID);
  if (roots.length === MAX_ROOTS) throw new CliError(`only ${MAX_ROOTS} root_id are supported`, TOO_BIG);
  const id = parseU32(words.shift() ?? '(null)', 'root ID');
  if (roots.includes(id)) throw new CliError(`duplicate root_id ${id} supplied`, INVALID);
  return id;
};

const takeOptions = (words: string[], source: Source): DumpOptions => {
  const options: DumpOptions = { format: 'raw', sorted: true, roots: [...(source.roots ?? [])] };
  while (words.length) {
    const word = words.shift() as string;
    // "for c" is an abbreviation of "format c".
    const isObject = word === 'for' && words.length > 0 && !FORMATS.has(words[0]);
    if (isObject) options.object = words.shift() as string;
    else if (isPrefix(word, 'format')) options.format = takeFormat(words);
    else if (isPrefix(word, 'root_id')) {
      options.roots = [...options.roots, takeRoot(words, options.roots, source.roots !== undefined)];
    } else if (isPrefix(word, 'unsorted')) options.sorted = false;
    else throw new CliError(`unrecognized option: '${word}'`, INVALID);
  }
  return options;
};

const write = (context: CommandContext, btf: Btf, { format, sorted, roots, kfuncs }: DumpOptions): void => {
  const out = (bytes: Buffer): void => context.out(bytes);
  if (format === 'raw') {
    dumpRaw(btf, { json: context.json, write: out }, roots);
    return;
  }
  if (context.json) {
    throw new CliError('JSON output for C-syntax dump is not supported', errnoStatus(ERRNO.EOPNOTSUPP));
  }
  try {
    dumpC(btf, { roots, ...(kfuncs && { kfuncs }), sorted, write: out, warn: (text) => sayWarning(context, text) });
  } catch (error) {
    // libbpf has told what is wrong with the types.
    if (error instanceof BtfError && error.warned) throw new SilentFailure(errnoStatus(error.errno));
    throw error;
  }
};

/** The header that one object needs. */
const writeForObject = async (context: CommandContext, btf: Btf, options: DumpOptions): Promise<void> => {
  const { object = '', format, roots } = options;
  if (format !== 'c') throw new CliError("'for' needs 'format c'", INVALID);
  if (roots.length) throw new CliError("cannot use root_id with 'for'", INVALID);
  const { neededByObject } = await import('./needed.ts');
  const needed = neededByObject(context, btf, object);
  write(context, btf, { ...options, ...needed });
};

/** btf dump SOURCE [format raw|c] [root_id N]… [unsorted] [for OBJECT] */
export async function dump(context: CommandContext, words: string[], previous: string): Promise<void> {
  compileForShortRun();
  const base = context.baseBtf;
  const source = takeSource(context, words, base, previous);
  const options = takeOptions(words, source);
  const btf = source.btf ?? btfOfId(context, source.id ?? 0, base);
  if (options.object !== undefined) {
    await writeForObject(context, btf, options);
    return;
  }
  const wrong = options.roots.find((id) => id >= btf.count);
  if (wrong !== undefined) throw new CliError(`invalid root ID: ${wrong}`, INVALID);
  write(context, btf, options);
}
