// How one map entry is printed: hex, or through the map's BTF.
import type { Btf } from '../../src/btf/btf.ts';
import { Btf as BtfReader } from '../../src/btf/btf.ts';
import { MAP_TYPE } from '../../src/isa/uapi.ts';
import { JsonWriter } from '../../src/print/json.ts';
import { dumpValue } from '../../src/print/value.ts';
import type { Kernel, MapInfo } from '../../src/syscall.ts';
import type { CommandContext } from '../command.ts';
import { btfById } from '../prog/name.ts';

const PER_CPU: ReadonlySet<number> = new Set([
  MAP_TYPE.percpu_hash,
  MAP_TYPE.percpu_array,
  MAP_TYPE.lru_percpu_hash,
  MAP_TYPE.percpu_cgroup_storage,
]);
const OF_MAPS: ReadonlySet<number> = new Set([MAP_TYPE.array_of_maps, MAP_TYPE.hash_of_maps]);

/** Longest key or value that stays on the line of its name, and longest pair on one line. */
const SHORT = 16;
const ONE_LINE = 24;

export const isPerCpu = (info: MapInfo): boolean => PER_CPU.has(info.type);
export const isOfMaps = (info: MapInfo): boolean => OF_MAPS.has(info.type);

const perCpuStep = (info: MapInfo): number => Math.ceil(info.valueSize / 8) * 8;

const byte = (b: number): string => b.toString(16).padStart(2, '0');

/** Two digits a byte, 16 a line, a gap in the middle. */
export const hexLines = (bytes: Uint8Array): string =>
  Array.from(bytes, (b, i) => (i === 0 ? '' : i % 16 === 0 ? '\n' : i % 8 === 0 ? '  ' : ' ') + byte(b)).join('');

export function hexJson(json: JsonWriter, bytes: Uint8Array): void {
  json.startArray();
  for (const b of bytes) json.value(`0x${byte(b)}`);
  json.endArray();
}

const u32 = (bytes: Uint8Array): number =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0, true);

/** BTF that describes the map's keys and values; undefined where it has none. */
export function mapBtf(kernel: Kernel, info: MapInfo): Btf | undefined {
  if (info.btfVmlinuxValueTypeId) {
    const bytes = kernel.readFile('/sys/kernel/btf/vmlinux');
    return bytes && BtfReader.parse(bytes);
  }
  return info.btfValueTypeId ? btfById(kernel, info.btfId) : undefined;
}

/** Prints entries of one map in the form that the options and its BTF ask for. */
export class EntryPrinter {
  private readonly context: CommandContext;
  private readonly info: MapInfo;
  private readonly btf: Btf | undefined;
  private readonly cpus: number;

  constructor(context: CommandContext, info: MapInfo, btf: Btf | undefined) {
    this.context = context;
    this.info = info;
    this.btf = btf;
    this.cpus = context.kernel().possibleCpus;
  }

  private *perCpu(value: Uint8Array): Generator<[number, Uint8Array]> {
    const step = perCpuStep(this.info);
    for (let cpu = 0; cpu < this.cpus; cpu++) {
      yield [cpu, value.subarray(cpu * step, cpu * step + this.info.valueSize)];
    }
  }

  /** `{"key": …, "value": …}` through BTF. */
  formatted(json: JsonWriter, key: Uint8Array, value: Uint8Array, plain: boolean): void {
    const { info } = this;
    const btf = this.btf as Btf;
    const type = info.btfVmlinuxValueTypeId || info.btfValueTypeId;
    json.startObject();
    if (info.btfKeyTypeId) {
      json.name('key');
      // A value that cannot be shown ends the entry where it stands, as in the real tool.
      if (!dumpValue(json, btf, info.btfKeyTypeId, key, { plain })) {
        json.endObject();
        return;
      }
    }
    if (!isPerCpu(info)) {
      json.name('value');
      dumpValue(json, btf, type, value, { plain });
    } else {
      json.name('values').startArray();
      for (const [cpu, one] of this.perCpu(value)) {
        json.startObject().field('cpu', cpu).name('value');
        const shown = dumpValue(json, btf, type, one, { plain });
        json.endObject();
        if (!shown) break;
      }
      json.endArray();
    }
    json.endObject();
  }

  json(json: JsonWriter, key: Uint8Array, value: Uint8Array): void {
    json.startObject().name('key');
    hexJson(json, key);
    if (!isPerCpu(this.info)) {
      json.name('value');
      hexJson(json, value);
      if (isOfMaps(this.info)) json.field('inner_map_id', u32(value));
    } else {
      json.name('values').startArray();
      for (const [cpu, one] of this.perCpu(value)) {
        json.startObject().field('cpu', cpu).name('value');
        hexJson(json, one);
        json.endObject();
      }
      json.endArray();
    }
    if (this.btf) {
      json.name('formatted');
      this.formatted(json, key, value, false);
    }
    json.endObject();
  }

  plain(key: Uint8Array, value: Uint8Array): void {
    const { keySize, valueSize } = this.info;
    let text = '';
    if (isPerCpu(this.info)) {
      if (keySize) text += `key:\n${hexLines(key)}\n`;
      for (const [cpu, one] of valueSize ? this.perCpu(value) : []) {
        text += `value (CPU ${String(cpu).padStart(2, '0')}):${valueSize > SHORT ? '\n' : ' '}${hexLines(one)}\n`;
      }
    } else {
      const gap = keySize > SHORT || valueSize > SHORT ? '\n' : ' ';
      const oneLine = gap === ' ' && keySize + valueSize <= ONE_LINE;
      if (keySize) text += `key:${gap}${hexLines(key)}${oneLine ? '  ' : '\n'}`;
      if (valueSize)
        text += isOfMaps(this.info) ? `inner_map_id:${gap}${u32(value)} ` : `value:${gap}${hexLines(value)}`;
      text += '\n';
    }
    this.context.out(text);
  }

  /** An entry whose value cannot be read. */
  unreadable(key: Uint8Array, message: string): void {
    const { json } = this.context;
    if (json) {
      json.startObject().name('key');
      hexJson(json, key);
      json.name('value').startObject().field('error', message).endObject().endObject();
      return;
    }
    const gap = key.length > SHORT || message.length > SHORT ? '\n' : ' ';
    const oneLine = gap === ' ' && key.length + message.length <= ONE_LINE;
    this.context.out(`key:${gap}${hexLines(key)}${oneLine ? '  ' : '\n'}value:${gap}${message}\n`);
  }

  /** One entry by itself, as `lookup` and `pop` print it. */
  one(key: Uint8Array, value: Uint8Array): void {
    const { json } = this.context;
    if (json) this.json(json, key, value);
    else if (this.btf) {
      const pretty = new JsonWriter((text) => this.context.out(text), true);
      this.formatted(pretty, key, value, true);
      pretty.finish();
    } else this.plain(key, value);
  }
}
