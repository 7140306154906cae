// bpftool map dump
import { ERRNO, isErrno, SysError } from '../../src/errno.ts';
import { MAP_TYPE, MAP_TYPES } from '../../src/isa/uapi.ts';
import { JsonWriter } from '../../src/print/json.ts';
import type { MapInfo } from '../../src/syscall.ts';
import { type CommandContext, errnoStatus, SilentFailure, UsageError } from '../command.ts';
import { selectMaps } from '../select.ts';
import { EntryPrinter, isOfMaps, mapBtf } from './entry.ts';
import { mapHeader, mapHeaderJson } from './show.ts';

/** What stands for a value that cannot be read; undefined: the entry is left out. Rule: print_entry_error, bpftool 7.8. */
function unreadableText(info: MapInfo, error: SysError, inJson: boolean): string | undefined {
  const isMissing = error.errno === ERRNO.ENOENT;
  if (isMissing && (isOfMaps(info) || info.type === MAP_TYPE.prog_array)) return undefined;
  if (inJson) return error.message;
  if (isMissing) return '<no entry>';
  if (error.errno === ERRNO.ENOSPC && info.type === MAP_TYPE.reuseport_sockarray) return '<cannot read>';
  return error.message;
}

/** Prints one map; `writer` is set when entries go through JSON, ours or the pretty one of plain mode. */
function dumpOne(
  context: CommandContext,
  fd: number,
  info: MapInfo,
  writer: JsonWriter | undefined,
  header: boolean,
): number {
  const kernel = context.kernel();
  const printer = new EntryPrinter(context, info, writer ? mapBtf(kernel, info) : undefined);
  if (writer) {
    if (header) {
      writer.startObject();
      mapHeaderJson(writer, info);
      writer.name('elements');
    }
    writer.startArray();
  } else if (header) context.out(`${mapHeader(info)}\n`);
  if (info.type === MAP_TYPE.reuseport_sockarray && info.valueSize !== 8) {
    context.info(`Warning: cannot read values from ${MAP_TYPES[info.type]} map with value_size != 8`);
  }
  let found = 0;
  let status = 0;
  for (let key: Uint8Array | undefined; ; ) {
    try {
      key = kernel.mapNextKey(fd, key);
    } catch (e) {
      if (!(e instanceof SysError)) throw e;
      status = isErrno(e, 'ENOENT') ? 0 : errnoStatus(e.errno);
      break;
    }
    let value: Uint8Array;
    try {
      value = kernel.mapLookup(fd, key);
    } catch (e) {
      if (!(e instanceof SysError)) throw e;
      const text = unreadableText(info, e, context.json !== undefined);
      if (text !== undefined) printer.unreadable(key, text);
      continue;
    }
    found++;
    if (context.json) printer.json(context.json, key, value);
    else if (writer) printer.formatted(writer, key, value, true);
    else printer.plain(key, value);
  }
  if (writer) {
    writer.endArray();
    if (header) writer.endObject();
  } else context.out(`Found ${found} element${found === 1 ? '' : 's'}\n`);
  return status;
}

/** map dump MAP */
export function dump(context: CommandContext, words: string[]): void {
  if (words.length !== 2) throw new UsageError();
  const kernel = context.kernel();
  const { json } = context;
  const maps = selectMaps(context, words).map((fd) => ({ fd, info: kernel.mapInfo(fd) }));
  const allHaveBtf = maps.every(({ info }) => mapBtf(kernel, info) !== undefined);
  const pretty = !json && allHaveBtf ? new JsonWriter((text) => context.out(text), true) : undefined;
  const writer = json ?? pretty;
  const several = maps.length > 1;
  if (several) writer?.startArray();
  let status = 0;
  for (const [i, { fd, info }] of maps.entries()) {
    status = dumpOne(context, fd, info, writer, several);
    if (!writer && i < maps.length - 1) context.out('\n');
    if (status !== 0) break;
  }
  if (several) writer?.endArray();
  pretty?.finish();
  if (status !== 0) throw new SilentFailure(status);
}
