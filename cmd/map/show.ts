// bpftool map show
import { MAP_TYPE, MAP_TYPES, PROG_TYPES } from '../../src/isa/uapi.ts';
import type { JsonWriter } from '../../src/print/json.ts';
import type { MapInfo } from '../../src/syscall.ts';
import type { CommandContext } from '../command.ts';
import { type PinTable, pinTable } from '../pins.ts';
import { allInfos, selectMaps } from '../select.ts';
import { tableOf } from '../table.ts';
import { noMoreWords } from '../words.ts';

/** The first line without its newline; a type that has no name prints as a number. */
export function mapHeader(info: MapInfo): string {
  const type = MAP_TYPES[info.type] ?? `type ${info.type}`;
  return `${info.id}: ${type}  ${info.name ? `name ${info.name}  ` : ''}flags 0x${info.flags.toString(16)}`;
}

export function mapHeaderJson(json: JsonWriter, info: MapInfo): void {
  json.field('id', info.id).field('type', MAP_TYPES[info.type] ?? info.type);
  if (info.name) json.field('name', info.name);
  json.field('flags', info.flags);
}

const hasOwner = (info: MapInfo): boolean => info.type === MAP_TYPE.prog_array && info.ownerProgType !== undefined;

function showPlain(context: CommandContext, info: MapInfo, pins: PinTable): void {
  const lines = [mapHeader(info)];
  const sizes = `key ${info.keySize}B  value ${info.valueSize}B  max_entries ${info.maxEntries}`;
  lines.push(`\t${sizes}  memlock ${info.memlock}B`);
  if (hasOwner(info)) {
    const type = PROG_TYPES[info.ownerProgType as number] ?? `type ${info.ownerProgType}`;
    lines.push(`\towner_prog_type ${type}  owner ${info.ownerJited ? '' : 'not '}jited`);
  }
  for (const path of pins.get(info.id)) lines.push(`\tpinned ${path}`);
  if (info.btfId) lines.push(`\tbtf_id ${info.btfId}${info.frozen ? '  frozen' : ''}`);
  else if (info.frozen) lines.push('\tfrozen');
  context.out(`${lines.join('\n')}\n`);
}

function showJson(json: JsonWriter, info: MapInfo, pins: PinTable): void {
  json.startObject();
  mapHeaderJson(json, info);
  json.field('bytes_key', info.keySize).field('bytes_value', info.valueSize).field('max_entries', info.maxEntries);
  json.field('bytes_memlock', info.memlock);
  if (hasOwner(info)) {
    json.field('owner_prog_type', PROG_TYPES[info.ownerProgType as number] ?? (info.ownerProgType as number));
    json.field('owner_jited', info.ownerJited ?? false);
  }
  json.field('frozen', info.frozen ? 1 : 0);
  if (info.btfId) json.field('btf_id', info.btfId);
  if (!pins.empty) {
    json.name('pinned').startArray();
    for (const path of pins.get(info.id)) json.value(path);
    json.endArray();
  }
  json.endObject();
}

const TABLE_HEAD = ['id', 'type', 'name', 'flags', 'key', 'value', 'max_entries', 'memlock', 'pinned'];

const tableRow = (info: MapInfo, pins: PinTable): string[] => [
  String(info.id),
  MAP_TYPES[info.type] ?? String(info.type),
  info.name,
  `0x${info.flags.toString(16)}`,
  `${info.keySize}B`,
  `${info.valueSize}B`,
  String(info.maxEntries),
  `${info.memlock}B`,
  pins.get(info.id).join('\n'),
];

/** map show [MAP] */
export async function show(context: CommandContext, words: string[]): Promise<void> {
  const kernel = context.kernel();
  const { json } = context;
  const wide = context.options.table && !json;
  const pins = pinTable(context, 'map', wide);
  const infos: MapInfo[] = [];
  const one = words.length === 2;
  if (one) {
    for (const fd of selectMaps(context, words)) infos.push(kernel.mapInfo(fd));
  } else {
    noMoreWords(words);
    for (const { info } of allInfos(context, 'map', (fd) => kernel.mapInfo(fd))) infos.push(info);
  }
  if (wide) {
    context.out(
      await tableOf(
        TABLE_HEAD,
        infos.map((info) => tableRow(info, pins)),
      ),
    );
    return;
  }
  const list = json && !(one && infos.length === 1);
  if (list) json.startArray();
  for (const info of infos) {
    if (json) showJson(json, info, pins);
    else showPlain(context, info, pins);
  }
  if (list) json.endArray();
}
