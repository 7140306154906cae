// bpftool map lookup, peek, update, push, enqueue, getnext, delete, pop, dequeue, freeze
import { isErrno, SysError } from '../../src/errno.ts';
import { MAP_TYPE } from '../../src/isa/uapi.ts';
import type { MapInfo } from '../../src/syscall.ts';
import { CliError, type CommandContext, errnoStatus, SilentFailure, UsageError } from '../command.ts';
import { because, selectMap, selectMapInfo, selectProg } from '../select.ts';
import { isPrefix, needWords, noMoreWords, takeBytes } from '../words.ts';
import { EntryPrinter, hexJson, hexLines, isOfMaps, isPerCpu, mapBtf } from './entry.ts';

const UPDATE_FLAGS = { any: 0n, noexist: 1n, exist: 2n } as const;
const FD_BYTES = 4;

/** What the words after MAP give; a value only where the command takes one. */
interface Element {
  key: Uint8Array;
  value: Uint8Array;
  flags: bigint;
}

const systemFailure = (what: string, e: unknown): CliError =>
  because(what, e, e instanceof SysError ? errnoStatus(e.errno) : 255);

/** A descriptor as the value of a map of maps or programs. */
function fdValue(context: CommandContext, info: MapInfo, words: string[]): Uint8Array {
  const maps = isOfMaps(info);
  const what = maps ? 'map in map' : 'map of progs';
  if (info.valueSize !== FD_BYTES) throw new CliError(`value smaller than 4B for ${what}?`);
  if (words.length < 2) throw new CliError(`not enough value arguments for ${what}`);
  if (!maps && isPrefix(words[0], 'id')) {
    context.info(
      'Warning: updating program array via MAP_ID, make sure this map is kept open\n         by some process or pinned otherwise update will be lost',
    );
  }
  const bytes = new Uint8Array(FD_BYTES);
  new DataView(bytes.buffer).setUint32(0, maps ? selectMap(context, words) : selectProg(context, words), true);
  return bytes;
}

function takeValue(context: CommandContext, info: MapInfo, words: string[]): Uint8Array {
  if (isOfMaps(info) || info.type === MAP_TYPE.prog_array) return fdValue(context, info, words);
  const value = takeBytes(words, 'value', info.valueSize);
  if (!isPerCpu(info)) return value;
  const step = Math.ceil(info.valueSize / 8) * 8;
  const all = new Uint8Array(step * context.kernel().possibleCpus);
  for (let at = 0; at < all.length; at += step) all.set(value, at);
  return all;
}

/** What a command takes besides a map. */
interface Takes {
  /** Also of a map without keys. */
  emptyKey: boolean;
  value: boolean;
  flags: boolean;
}

/** `[key DATA] [value VALUE] [flags]` in any order, each once. Rule: parse_elem, bpftool 7.8. */
function parseElement(context: CommandContext, info: MapInfo, words: string[], takes: Takes): Element {
  const valueSize = takes.value ? info.valueSize : 0;
  let key: Uint8Array | undefined;
  let value: Uint8Array | undefined;
  let flags: bigint | undefined;
  while (words.length > 0) {
    const word = words.shift() as string;
    const flag = (Object.keys(UPDATE_FLAGS) as (keyof typeof UPDATE_FLAGS)[]).find((f) => isPrefix(word, f));
    if (isPrefix(word, 'key')) {
      if (key || !(info.keySize || takes.emptyKey)) {
        throw new CliError(info.keySize ? 'duplicate key' : 'unnecessary key');
      }
      key = takeBytes(words, 'key', info.keySize);
    } else if (isPrefix(word, 'value')) {
      if (value || !valueSize) throw new CliError(valueSize ? 'duplicate value' : 'unnecessary value');
      value = takeValue(context, info, words);
    } else if (flag) {
      if (flags !== undefined || !takes.flags) throw new CliError(`flags specified multiple times: ${word}`);
      flags = UPDATE_FLAGS[flag];
    } else throw new CliError(`expected key or value, got: ${word}`);
  }
  if (!key && (info.keySize || takes.emptyKey)) throw new CliError('did not find key');
  if (!value && valueSize) throw new CliError('did not find value');
  return { key: key ?? new Uint8Array(0), value: value ?? new Uint8Array(0), flags: flags ?? 0n };
}

const LOOKUP: Takes = { emptyKey: false, value: false, flags: false };
const UPDATE: Takes = { emptyKey: false, value: true, flags: true };
const KEY: Takes = { emptyKey: true, value: false, flags: false };

/** map lookup|peek MAP [key DATA] */
export function lookup(context: CommandContext, words: string[]): void {
  if (words.length < 2) throw new UsageError();
  const kernel = context.kernel();
  const { fd, info } = selectMapInfo(context, words);
  const { key } = parseElement(context, info, words, LOOKUP);
  let value: Uint8Array;
  try {
    value = kernel.mapLookup(fd, key);
  } catch (e) {
    if (!isErrno(e, 'ENOENT')) throw systemFailure('lookup failed', e);
    if (context.json) context.json.value(null);
    else context.out(`key:\n${hexLines(key)}\n\nNot found\n`);
    throw new SilentFailure(errnoStatus((e as SysError).errno));
  }
  new EntryPrinter(context, info, mapBtf(kernel, info)).one(key, value);
}

/** map update|push|enqueue MAP [key DATA] [value VALUE] [any|exist|noexist] */
export function update(context: CommandContext, words: string[]): void {
  if (words.length < 2) throw new UsageError();
  const { fd, info } = selectMapInfo(context, words);
  const { key, value, flags } = parseElement(context, info, words, UPDATE);
  try {
    context.kernel().mapUpdate(fd, key, value, flags);
  } catch (e) {
    throw systemFailure('update failed', e);
  }
  context.json?.value(null);
}

/** map getnext MAP [key DATA] */
export function getnext(context: CommandContext, words: string[]): void {
  if (words.length < 2) throw new UsageError();
  const { fd, info } = selectMapInfo(context, words);
  const key = words.length > 0 ? parseElement(context, info, words, KEY).key : undefined;
  let next: Uint8Array;
  try {
    next = context.kernel().mapNextKey(fd, key);
  } catch (e) {
    throw systemFailure("can't get next key", e);
  }
  const { json } = context;
  if (!json) {
    context.out(`${key ? `key:\n${hexLines(key)}` : 'key: None'}\nnext key:\n${hexLines(next)}\n`);
    return;
  }
  json.startObject().name('key');
  if (key) hexJson(json, key);
  else json.value(null);
  json.name('next_key');
  hexJson(json, next);
  json.endObject();
}

/** map delete MAP key DATA */
export function remove(context: CommandContext, words: string[]): void {
  if (words.length < 2) throw new UsageError();
  const { fd, info } = selectMapInfo(context, words);
  const { key } = parseElement(context, info, words, KEY);
  try {
    context.kernel().mapDelete(fd, key);
  } catch (e) {
    throw systemFailure('delete failed', e);
  }
  context.json?.value(null);
}

/** map pop|dequeue MAP */
export function pop(context: CommandContext, words: string[]): void {
  if (words.length < 2) throw new UsageError();
  const kernel = context.kernel();
  const { fd, info } = selectMapInfo(context, words);
  let value: Uint8Array;
  try {
    value = kernel.mapLookupAndDelete(fd, new Uint8Array(info.keySize));
  } catch (e) {
    if (!isErrno(e, 'ENOENT')) throw systemFailure('pop failed', e);
    if (context.json) context.json.value(null);
    else context.out('Error: empty map\n');
    throw new SilentFailure(errnoStatus((e as SysError).errno));
  }
  new EntryPrinter(context, info, mapBtf(kernel, info)).one(new Uint8Array(info.keySize), value);
}

/** map freeze MAP */
export function freeze(context: CommandContext, words: string[], previous: string): void {
  needWords(words, 2, previous);
  const fd = selectMap(context, words);
  noMoreWords(words);
  try {
    context.kernel().mapFreeze(fd);
  } catch (e) {
    throw systemFailure('failed to freeze map', e);
  }
  context.json?.value(null);
}
