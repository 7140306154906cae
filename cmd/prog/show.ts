// bpftool prog show
import { BTF_KIND } from '../../src/btf/btf.ts';
import { MAP_TYPE, PROG_TYPES } from '../../src/isa/uapi.ts';
import { JsonWriter } from '../../src/print/json.ts';
import { dumpValue } from '../../src/print/value.ts';
import type { MapInfo, ProgInfo } from '../../src/syscall.ts';
import type { CommandContext } from '../command.ts';
import { type PinTable, pinTable } from '../pins.ts';
import { allInfos, selectProgs } from '../select.ts';
import { tableOf } from '../table.ts';
import { noMoreWords } from '../words.ts';
import { btfById, programName } from './name.ts';

const METADATA_PREFIX = 'bpf_metadata_';
const NS_PER_SECOND = 1_000_000_000n;

const tagText = (info: ProgInfo): string => Buffer.from(info.tag).toString('hex');

/** Program type as printed; a number for one that bpftool does not know. */
const typeName = (type: number): string | undefined => PROG_TYPES[type];

/** Seconds since the epoch at which the program was loaded; loadTime counts from boot. */
const loadedAt = (context: CommandContext, info: ProgInfo): number => {
  const boot = context.kernel().bootTime();
  return Number((boot + info.loadTime) / NS_PER_SECOND);
};

/** %FT%T%z in the local time zone. */
function localTime(seconds: number): string {
  const date = new Date(seconds * 1000);
  const two = (n: number): string => String(n).padStart(2, '0');
  const offset = -date.getTimezoneOffset();
  const zone = `${offset < 0 ? '-' : '+'}${two(Math.floor(Math.abs(offset) / 60))}${two(Math.abs(offset) % 60)}`;
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day}T${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}${zone}`;
}

interface Metadata {
  name: string;
  write(json: JsonWriter, plain: boolean): void;
}

/** Variables named bpf_metadata_* of the program's first read-only data map. */
function metadata(context: CommandContext, info: ProgInfo): Metadata[] {
  const kernel = context.kernel();
  for (const id of info.mapIds) {
    const fd = kernel.fdById('map', id);
    try {
      const map: MapInfo = kernel.mapInfo(fd);
      const isData = map.type === MAP_TYPE.array && map.keySize === 4 && map.maxEntries === 1;
      if (!isData || !map.btfValueTypeId || !map.name.includes('.rodata')) continue;
      const btf = btfById(kernel, map.btfId);
      if (!btf || btf.kind(map.btfValueTypeId) !== BTF_KIND.DATASEC) return [];
      const value = kernel.mapLookup(fd, new Uint8Array(4));
      const found: Metadata[] = [];
      for (let i = 0; i < btf.vlen(map.btfValueTypeId); i++) {
        const variable = btf.secType(map.btfValueTypeId, i);
        if (!btf.name(variable).startsWith(METADATA_PREFIX)) continue;
        const bytes = value.subarray(btf.secOffset(map.btfValueTypeId, i));
        found.push({
          name: btf.name(variable).slice(METADATA_PREFIX.length),
          write: (json, plain) => dumpValue(json, btf, btf.type(variable), bytes, { plain }),
        });
      }
      return found;
    } finally {
      kernel.close(fd);
    }
  }
  return [];
}

/** The first line of `show` without its newline, which also heads each of several dumps. */
export function progHeader(context: CommandContext, info: ProgInfo): string {
  const name = programName(context.kernel(), info);
  const runs = info.runTimeNs ? ` run_time_ns ${info.runTimeNs} run_cnt ${info.runCnt}` : '';
  const misses = info.recursionMisses ? ` recursion_misses ${info.recursionMisses}` : '';
  const type = typeName(info.type) ?? `type ${info.type}`;
  const gpl = info.gplCompatible ? '  gpl' : '';
  return `${info.id}: ${type}  ${name ? `name ${name}  ` : ''}tag ${tagText(info)}${gpl}${runs}${misses}`;
}

/** The fields that `show` and several dumps begin an object with. */
export function progHeaderJson(context: CommandContext, json: JsonWriter, info: ProgInfo): void {
  json.field('id', info.id).field('type', typeName(info.type) ?? info.type);
  const name = programName(context.kernel(), info);
  if (name) json.field('name', name);
  json.field('tag', tagText(info)).field('gpl_compatible', info.gplCompatible);
  if (info.runTimeNs) json.field('run_time_ns', info.runTimeNs).field('run_cnt', info.runCnt);
  if (info.recursionMisses) json.field('recursion_misses', info.recursionMisses);
}

function showPlain(context: CommandContext, info: ProgInfo, pins: PinTable): void {
  const lines = [progHeader(context, info)];
  if (info.loadTime) lines.push(`\tloaded_at ${localTime(loadedAt(context, info))}  uid ${info.createdByUid}`);
  const jited = info.jited.length ? `jited ${info.jited.length}B` : 'not jited';
  const memlock = info.memlock ? `  memlock ${info.memlock}B` : '';
  const maps = info.mapIds.length ? `  map_ids ${info.mapIds.join(',')}` : '';
  lines.push(`\txlated ${info.xlated.length}B  ${jited}${memlock}${maps}`);
  for (const path of pins.get(info.id)) lines.push(`\tpinned ${path}`);
  if (info.btfId) lines.push(`\tbtf_id ${info.btfId}`);
  const meta = metadata(context, info);
  if (meta.length) {
    let text = '';
    for (const m of meta) {
      text += `\n\t\t${m.name} = `;
      m.write(
        new JsonWriter((t) => {
          text += t;
        }, false),
        true,
      );
    }
    lines.push(`\tmetadata:${text}`);
  }
  context.out(`${lines.join('\n')}\n`);
}

function showJson(context: CommandContext, json: JsonWriter, info: ProgInfo, pins: PinTable): void {
  json.startObject();
  progHeaderJson(context, json, info);
  if (info.loadTime) json.field('loaded_at', loadedAt(context, info)).field('uid', info.createdByUid);
  json
    .field('orphaned', false)
    .field('bytes_xlated', info.xlated.length)
    .field('jited', info.jited.length > 0);
  if (info.jited.length) json.field('bytes_jited', info.jited.length);
  if (info.memlock) json.field('bytes_memlock', info.memlock);
  if (info.mapIds.length) {
    json.name('map_ids').startArray();
    for (const id of info.mapIds) json.value(id);
    json.endArray();
  }
  if (info.btfId) json.field('btf_id', info.btfId);
  if (!pins.empty) {
    json.name('pinned').startArray();
    for (const path of pins.get(info.id)) json.value(path);
    json.endArray();
  }
  const meta = metadata(context, info);
  if (meta.length) {
    json.name('metadata').startObject();
    for (const m of meta) {
      json.name(m.name);
      m.write(json, false);
    }
    json.endObject();
  }
  json.endObject();
}

const TABLE_HEAD = ['id', 'type', 'name', 'tag', 'xlated', 'jited', 'maps', 'pinned'];

const tableRow = (context: CommandContext, info: ProgInfo, pins: PinTable): string[] => [
  String(info.id),
  typeName(info.type) ?? String(info.type),
  programName(context.kernel(), info),
  tagText(info),
  `${info.xlated.length}B`,
  `${info.jited.length}B`,
  info.mapIds.join(','),
  pins.get(info.id).join('\n'),
];

/** prog show [PROG] */
export async function show(context: CommandContext, words: string[]): Promise<void> {
  const kernel = context.kernel();
  const { json } = context;
  const wide = context.options.table && !json;
  const pins = pinTable(context, 'prog', wide);
  const infos: ProgInfo[] = [];
  const one = words.length === 2;
  if (one) {
    for (const fd of selectProgs(context, words)) infos.push(kernel.progInfo(fd));
  } else {
    noMoreWords(words);
    for (const { info } of allInfos(context, 'prog', (fd) => kernel.progInfo(fd))) infos.push(info);
  }
  if (wide) {
    context.out(
      await tableOf(
        TABLE_HEAD,
        infos.map((info) => tableRow(context, info, pins)),
      ),
    );
    return;
  }
  const list = json && !(one && infos.length === 1);
  if (list) json.startArray();
  for (const info of infos) {
    if (json) showJson(context, json, info, pins);
    else showPlain(context, info, pins);
  }
  if (list) json.endArray();
}
