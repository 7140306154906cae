// PROG and MAP on the command line: id N, tag T, name N, pinned FILE.
import { isErrno, SysError } from '../src/errno.ts';
import type { MapInfo, ObjectKind, PinKind, ProgInfo } from '../src/syscall.ts';
import { CliError, type CommandContext, SilentFailure } from './command.ts';
import { programName } from './prog/name.ts';
import { isPrefix, needWords, parseUnsigned } from './words.ts';

const TAG_BYTES = 8;
const MAX_PROG_NAME = 127;
const MAX_MAP_NAME = 15;
const PIN_KINDS: readonly PinKind[] = ['prog', 'map', 'link'];

/** Ids of a kind in ascending order. */
export function* objectIds(context: CommandContext, kind: ObjectKind): Generator<number> {
  const kernel = context.kernel();
  let id = 0;
  for (;;) {
    try {
      id = kernel.nextId(kind, id);
    } catch (e) {
      if (isErrno(e, 'ENOENT')) return;
      throw e;
    }
    yield id;
  }
}

/** An id word; the whole word must be a number. */
export function parseObjectId(word: string): number {
  const value = parseUnsigned(word);
  if (value === undefined) throw new CliError(`can't parse ${word} as ID`);
  return Number(value & 0xffffffffn);
}

/** The message of a failed system call behind bpftool's own words. */
export const because = (what: string, error: unknown, status = 255): CliError => {
  if (error instanceof SysError) return new CliError(`${what}: ${error.message}`, status);
  throw error;
};

function takeId(words: string[], keyword: string): number {
  words.shift();
  needWords(words, 1, keyword);
  return parseObjectId(words.shift() as string);
}

function fdOf(context: CommandContext, kind: ObjectKind, id: number, what: string): number {
  try {
    return context.kernel().fdById(kind, id);
  } catch (e) {
    throw because(`${what} (${id})`, e);
  }
}

/** Opens a pin that must hold an object of `kind`. */
export function openPinned(context: CommandContext, path: string, kind: PinKind): number {
  const kernel = context.kernel();
  let found: { fd: number; kind: PinKind };
  try {
    found = kernel.objGet(path);
  } catch (e) {
    throw because(`bpf obj get (${path})`, e);
  }
  if (found.kind === kind) return found.fd;
  kernel.close(found.fd);
  throw new CliError(`incorrect object type: ${PIN_KINDS.includes(found.kind) ? found.kind : 'unknown'}`);
}

function takePinned(context: CommandContext, words: string[], kind: PinKind): number {
  const keyword = words.shift() as string;
  needWords(words, 1, keyword);
  return openPinned(context, words.shift() as string, kind);
}

/** A descriptor of every object of a kind, the caller's to close; objects that go away meanwhile are skipped. */
function* descriptors(context: CommandContext, kind: 'prog' | 'map'): Generator<number> {
  const kernel = context.kernel();
  for (const id of objectIds(context, kind)) {
    let fd: number;
    try {
      fd = kernel.fdById(kind, id);
    } catch (e) {
      if (isErrno(e, 'ENOENT')) continue;
      throw because(`can't get ${kind} by id (${id})`, e);
    }
    yield fd;
  }
}

/** Descriptors of every object of a kind that fits. */
function matching(context: CommandContext, kind: 'prog' | 'map', fits: (fd: number) => boolean): number[] {
  const kernel = context.kernel();
  const fds: number[] = [];
  for (const fd of descriptors(context, kind)) {
    if (fits(fd)) fds.push(fd);
    else kernel.close(fd);
  }
  if (fds.length === 0) throw new SilentFailure();
  return fds;
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** The name behind the word that announces it. */
function takeName(words: string[], word: string, most: number): string {
  words.shift();
  needWords(words, 1, word);
  const name = words.shift() as string;
  if (name.length > most) throw new CliError("can't parse name");
  return name;
}

/**
 * PROG: consumes its words and gives descriptors, several where a tag or name fits several programs.
 * The rule of each message is bpftool's prog_parse_fds.
 */
export function selectProgs(context: CommandContext, words: string[]): number[] {
  const kernel = context.kernel();
  const word = words[0];
  if (word !== undefined) {
    if (isPrefix(word, 'id')) return [fdOf(context, 'prog', takeId(words, word), 'get by id')];
    if (isPrefix(word, 'tag')) {
      words.shift();
      needWords(words, 1, word);
      const m = /^(?:[0-9a-fA-F]{1,2}){8}/.exec(words[0]);
      if (!m || m[0].length < 2 * TAG_BYTES) throw new CliError("can't parse tag");
      const tag = (words.shift() as string).slice(0, 2 * TAG_BYTES).toLowerCase();
      return matching(context, 'prog', (fd) => hex(kernel.progInfo(fd).tag) === tag);
    }
    if (isPrefix(word, 'name')) {
      const name = takeName(words, word, MAX_PROG_NAME);
      return matching(context, 'prog', (fd) => programName(kernel, kernel.progInfo(fd)) === name);
    }
    if (isPrefix(word, 'pinned')) return [takePinned(context, words, 'prog')];
  }
  throw new CliError(`expected 'id', 'tag', 'name' or 'pinned', got: '${word ?? '(null)'}'?`);
}

/** MAP, as selectProgs does for PROG. */
export function selectMaps(context: CommandContext, words: string[]): number[] {
  const kernel = context.kernel();
  const word = words[0];
  if (word !== undefined) {
    if (isPrefix(word, 'id')) return [fdOf(context, 'map', takeId(words, word), 'get map by id')];
    if (isPrefix(word, 'name')) {
      const name = takeName(words, word, MAX_MAP_NAME);
      return matching(context, 'map', (fd) => kernel.mapInfo(fd).name === name);
    }
    if (isPrefix(word, 'pinned')) return [takePinned(context, words, 'map')];
  }
  throw new CliError(`expected 'id', 'name' or 'pinned', got: '${word ?? '(null)'}'?`);
}

const only = (fds: number[], what: string): number => {
  if (fds.length > 1) throw new CliError(`several ${what} match this handle`);
  return fds[0];
};

/** PROG that must be one program. */
export const selectProg = (context: CommandContext, words: string[]): number =>
  only(selectProgs(context, words), 'programs');

/** MAP that must be one map. */
export const selectMap = (context: CommandContext, words: string[]): number => only(selectMaps(context, words), 'maps');

/** MAP that must be one map, with its info. */
export function selectMapInfo(context: CommandContext, words: string[]): { fd: number; info: MapInfo } {
  const fd = selectMap(context, words);
  return { fd, info: context.kernel().mapInfo(fd) };
}

/** Every object of a kind with its info, in id order; used by the listings. */
export function* allInfos<T extends ProgInfo | MapInfo>(
  context: CommandContext,
  kind: 'prog' | 'map',
  info: (fd: number) => T,
): Generator<{ fd: number; info: T }> {
  const kernel = context.kernel();
  for (const fd of descriptors(context, kind)) {
    try {
      yield { fd, info: info(fd) };
    } finally {
      kernel.close(fd);
    }
  }
}
