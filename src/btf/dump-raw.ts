// The raw form of BTF: one entry a type with all its fields, as text lines or as JSON.
import type { JsonWriter } from '../print/json.ts';
import type { Btf } from './btf.ts';
import { BTF_KIND, KIND_NAMES } from './kinds.ts';
import { TextSink } from './text-sink.ts';

type Value = number | bigint | string;

/** Receives the parts of each type in order. `suffix` is for text only; JSON may show another value. */
interface RawSink {
  begin(): void;
  startType(id: number, kind: string, name: string): void;
  field(key: string, value: Value, suffix?: string, jsonValue?: Value): void;
  startList(name: string): void;
  /** Begins an element of the list; `name` is undefined where elements have none. */
  startElement(name: string | undefined): void;
  endElement(): void;
  endList(): void;
  endType(): void;
  end(): void;
}

class PlainSink implements RawSink {
  private readonly out: TextSink;
  private separator = ' ';

  constructor(write: (text: string) => void) {
    this.out = new TextSink(write);
  }

  begin(): void {}

  startType(id: number, kind: string, name: string): void {
    this.out.add(`[${id}] ${kind} '${name}'`);
  }

  field(key: string, value: Value, suffix = ''): void {
    this.out.add(`${this.separator}${key}=${value}${suffix}`);
    this.separator = ' ';
  }

  startList(): void {}

  startElement(name: string | undefined): void {
    this.out.add(name === undefined ? '\n\t' : `\n\t'${name}'`);
    this.separator = name === undefined ? '' : ' ';
  }

  endElement(): void {}

  endList(): void {}

  endType(): void {
    this.out.add('\n');
  }

  end(): void {
    this.out.flush();
  }
}

class JsonSink implements RawSink {
  private readonly json: JsonWriter;

  constructor(json: JsonWriter) {
    this.json = json;
  }

  begin(): void {
    this.json.startObject().name('types').startArray();
  }

  startType(id: number, kind: string, name: string): void {
    this.json.startObject().field('id', id).field('kind', kind).field('name', name);
  }

  field(key: string, value: Value, _suffix?: string, jsonValue: Value = value): void {
    this.json.field(key, jsonValue);
  }

  startList(name: string): void {
    this.json.name(name).startArray();
  }

  startElement(name: string | undefined): void {
    this.json.startObject();
    if (name !== undefined) this.json.field('name', name);
  }

  endElement(): void {
    this.json.endObject();
  }

  endList(): void {
    this.json.endArray();
  }

  endType(): void {
    this.json.endObject();
  }

  end(): void {
    this.json.endArray().endObject();
  }
}

const ENCODINGS: readonly (string | undefined)[] = ['(none)', 'SIGNED', 'CHAR', undefined, 'BOOL'];
/** By number. */
const LINKAGES: readonly string[] = ['static', 'global', 'extern'];

const named = (name: string): string => name || '(anon)';

const kindName = (kind: number): string => KIND_NAMES[kind] ?? KIND_NAMES[BTF_KIND.UNKN];

/** Writes what follows the common parts of a type. */
type Describe = (sink: RawSink, btf: Btf, id: number) => void;

const reference: Describe = (sink, btf, id) => sink.field('type_id', btf.type(id));

const linkage = (btf: Btf, id: number): string => LINKAGES[btf.linkage(id)] ?? '(unknown)';

const members: Describe = (sink, btf, id) => {
  const vlen = btf.vlen(id);
  sink.field('size', btf.size(id));
  sink.field('vlen', vlen);
  sink.startList('members');
  for (let i = 0; i < vlen; i++) {
    sink.startElement(named(btf.memberName(id, i)));
    sink.field('type_id', btf.memberType(id, i));
    sink.field('bits_offset', btf.memberBitOffset(id, i));
    const bits = btf.memberBitSize(id, i);
    if (bits) sink.field('bitfield_size', bits);
    sink.endElement();
  }
  sink.endList();
};

const enumerators: Describe = (sink, btf, id) => {
  const vlen = btf.vlen(id);
  const signed = btf.kflag(id);
  const wide = btf.kind(id) === BTF_KIND.ENUM64;
  const suffix = wide ? (signed ? 'LL' : 'ULL') : '';
  sink.field('encoding', signed ? 'SIGNED' : 'UNSIGNED');
  sink.field('size', btf.size(id));
  sink.field('vlen', vlen);
  sink.startList('values');
  for (let i = 0; i < vlen; i++) {
    sink.startElement(named(btf.enumName(id, i)));
    const value = btf.enumValue(id, i);
    // bpftool widens 32 bits with their sign before it prints them unsigned, in JSON only.
    const widened = wide || signed ? value : BigInt.asUintN(64, BigInt.asIntN(32, value));
    sink.field('val', value, suffix, widened);
    sink.endElement();
  }
  sink.endList();
};

const DESCRIBE: Readonly<Record<number, Describe>> = {
  [BTF_KIND.INT]: (sink, btf, id) => {
    sink.field('size', btf.size(id));
    sink.field('bits_offset', btf.intOffset(id));
    sink.field('nr_bits', btf.intBits(id));
    sink.field('encoding', ENCODINGS[btf.intEncoding(id)] ?? 'UNKN');
  },
  [BTF_KIND.PTR]: reference,
  [BTF_KIND.CONST]: reference,
  [BTF_KIND.VOLATILE]: reference,
  [BTF_KIND.RESTRICT]: reference,
  [BTF_KIND.TYPEDEF]: reference,
  [BTF_KIND.TYPE_TAG]: reference,
  [BTF_KIND.ARRAY]: (sink, btf, id) => {
    sink.field('type_id', btf.arrayElem(id));
    sink.field('index_type_id', btf.arrayIndexType(id));
    sink.field('nr_elems', btf.arrayLength(id));
  },
  [BTF_KIND.STRUCT]: members,
  [BTF_KIND.UNION]: members,
  [BTF_KIND.ENUM]: enumerators,
  [BTF_KIND.ENUM64]: enumerators,
  [BTF_KIND.FWD]: (sink, btf, id) => sink.field('fwd_kind', btf.kflag(id) ? 'union' : 'struct'),
  [BTF_KIND.FUNC]: (sink, btf, id) => {
    sink.field('type_id', btf.type(id));
    sink.field('linkage', linkage(btf, id));
  },
  [BTF_KIND.FUNC_PROTO]: (sink, btf, id) => {
    const vlen = btf.vlen(id);
    sink.field('ret_type_id', btf.type(id));
    sink.field('vlen', vlen);
    sink.startList('params');
    for (let i = 0; i < vlen; i++) {
      sink.startElement(named(btf.paramName(id, i)));
      sink.field('type_id', btf.paramType(id, i));
      sink.endElement();
    }
    sink.endList();
  },
  [BTF_KIND.VAR]: (sink, btf, id) => {
    sink.field('type_id', btf.type(id), ',');
    sink.field('linkage', linkage(btf, id));
  },
  [BTF_KIND.DATASEC]: (sink, btf, id) => {
    const vlen = btf.vlen(id);
    sink.field('size', btf.size(id));
    sink.field('vlen', vlen);
    sink.startList('vars');
    for (let i = 0; i < vlen; i++) {
      const type = btf.secType(id, i);
      sink.startElement(undefined);
      sink.field('type_id', type);
      sink.field('offset', btf.secOffset(id, i));
      sink.field('size', btf.secSize(id, i), ` (${kindName(btf.kind(type))} '${named(btf.name(type))}')`);
      sink.endElement();
    }
    sink.endList();
  },
  [BTF_KIND.FLOAT]: (sink, btf, id) => sink.field('size', btf.size(id)),
  [BTF_KIND.DECL_TAG]: (sink, btf, id) => {
    sink.field('type_id', btf.type(id));
    sink.field('component_idx', btf.tagComponent(id));
  },
};

const describe = (sink: RawSink, btf: Btf, id: number): void => {
  const kind = btf.kind(id);
  sink.startType(id, kindName(kind), named(btf.name(id)));
  DESCRIBE[kind]?.(sink, btf, id);
  sink.endType();
};

/** Where a dump goes: JSON if a writer is given, text pieces otherwise. */
export interface RawOutput {
  json?: JsonWriter | undefined;
  write(text: string): void;
}

/**
 * Writes the types `roots`, or without any all types of `btf` that are not in its base.
 * Throws BtfError for a root that does not exist.
 */
export const dumpRaw = (btf: Btf, output: RawOutput, roots: readonly number[] = []): void => {
  const sink = output.json ? new JsonSink(output.json) : new PlainSink((text) => output.write(text));
  sink.begin();
  if (roots.length) for (const id of roots) describe(sink, btf, id);
  else for (let id = btf.firstId; id < btf.count; id++) describe(sink, btf, id);
  sink.end();
};
