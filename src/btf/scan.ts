// One pass over the type section: where each type begins, and whether everything in it may be trusted.
import { BtfError } from './btf-error.ts';
import type { BtfSections } from './header.ts';
import { BTF_KIND, KIND_LAYOUTS, type KindLayout } from './kinds.ts';

/** Types as 32-bit words in the byte order of this machine; void is three zero words. */
export interface TypeTable {
  words: Int32Array;
  /** Word index of void, then of each type. */
  places: Int32Array;
}

export interface ScanLimits {
  /** Id of the first type of this section. */
  firstId: number;
  /** Offsets of names are below it, those of the base included. */
  stringEnd: number;
  /** Kind of a type of the base. */
  baseKind(id: number): number;
}

const KINDS = 128;
/** Words in front of what only some kinds have. */
const HEAD_WORDS = 3;

const kindOf = (info: number): number => (info >>> 24) & 0x7f;
const vlenOf = (info: number): number => info & 0xffffff;

const hostIsLittleEndian = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;

/** Types as words that are aligned and in the machine's byte order, and where they are among them. */
interface TypeWords {
  words: Int32Array;
  /** Word indexes of void, the first type, and the end of the types. */
  nothing: number;
  first: number;
  end: number;
}

/** The data itself as words, if it lies as they have to and has zeros behind it for void; undefined otherwise. */
const wordsInPlace = (bytes: Uint8Array, { types }: BtfSections): TypeWords | undefined => {
  const nothing = (bytes.length + 3) >>> 2;
  const size = nothing + HEAD_WORDS;
  const room = bytes.byteOffset + size * 4 <= bytes.buffer.byteLength;
  // What is behind a small Buffer may belong to the next one.
  const pooled = bytes.buffer.byteLength === Buffer.poolSize;
  const lies = (bytes.byteOffset | types.start) % 4 === 0 && room && !pooled;
  if (!lies) return undefined;
  const words = new Int32Array(bytes.buffer, bytes.byteOffset, size);
  if ((words[nothing] | words[nothing + 1] | words[nothing + 2]) !== 0) return undefined;
  return { words, nothing, first: types.start >>> 2, end: (types.start + types.length) >>> 2 };
};

const copiedWords = (bytes: Uint8Array, { types, littleEndian }: BtfSections): TypeWords => {
  const end = types.length >>> 2;
  const copy = new Uint8Array((end + HEAD_WORDS) * 4);
  copy.set(bytes.subarray(types.start, types.start + end * 4));
  if (littleEndian !== hostIsLittleEndian) Buffer.from(copy.buffer).swap32();
  return { words: new Int32Array(copy.buffer), nothing: end, first: 0, end };
};

const wordsOf = (bytes: Uint8Array, sections: BtfSections): TypeWords =>
  (sections.littleEndian === hostIsLittleEndian ? wordsInPlace(bytes, sections) : undefined) ??
  copiedWords(bytes, sections);

/** Layouts of the known kinds, and those that a layout section describes. */
export const readLayouts = (bytes: Uint8Array, sections: BtfSections): readonly KindLayout[] => {
  const { start, length } = sections.layout;
  const layouts = [...KIND_LAYOUTS];
  for (let kind = layouts.length; kind < Math.min(length / 4, KINDS); kind++) {
    const info = bytes[start + kind * 4];
    const element = bytes[start + kind * 4 + 1];
    if (info % 4 || element % 4) break;
    layouts.push({ info: info / 4, element: element / 4 });
  }
  return layouts;
};

/** The layouts as columns, which the pass reads once a type. */
const columnsOf = (layouts: readonly KindLayout[]) => {
  const column = (value: (layout: KindLayout) => number): Int32Array => {
    const result = new Int32Array(KINDS).fill(-1);
    layouts.forEach((layout, kind) => {
      result[kind] = value(layout);
    });
    return result;
  };
  return {
    info: column((layout) => layout.info),
    element: column((layout) => layout.element),
    reference: column((layout) => (layout.reference ? 1 : 0)),
    elementName: column((layout) => layout.elementName ?? -1),
    elementId: column((layout) => layout.elementId ?? -1),
  };
};

/** Says what is wrong with the first type that has a fault, in libbpf's order; undefined where none has. */
const describeFault = (table: TypeTable, limits: ScanLimits): BtfError | undefined => {
  const { words, places } = table;
  const end = limits.firstId + places.length - 1;
  const kindOfId = (id: number): number =>
    id < limits.firstId ? limits.baseKind(id) : kindOf(words[places[id - limits.firstId + 1] + 1]);
  const badName = (index: number, what: string): string | undefined =>
    words[index] >>> 0 >= limits.stringEnd ? `invalid ${what} name (string offset ${words[index] >>> 0})` : undefined;
  const badId = (index: number): string | undefined =>
    words[index] >>> 0 >= end ? `invalid referenced type ID ${words[index] >>> 0}` : undefined;
  const faultAt = (at: number): string | undefined => {
    const kind = kindOf(words[at + 1]);
    const layout = KIND_LAYOUTS[kind] ?? { info: 0, element: 0 };
    const isProto = kind === BTF_KIND.FUNC_PROTO;
    const found = badName(at, 'type') ?? (layout.reference && !isProto ? badId(at + 2) : undefined);
    if (found !== undefined) return found;
    if (kind === BTF_KIND.FUNC && kindOfId(words[at + 2]) !== BTF_KIND.FUNC_PROTO) {
      return `referenced type [${words[at + 2]}] is not FUNC_PROTO`;
    }
    const what = isProto ? 'param' : layout.elementId === undefined ? 'enum' : 'field';
    for (const index of layout.infoIds ?? []) {
      const fault = badId(at + 3 + index);
      if (fault !== undefined) return fault;
    }
    for (let n = 0, p = at + 3 + layout.info; n < vlenOf(words[at + 1]) && layout.element; n++, p += layout.element) {
      const fault =
        (layout.elementName === undefined ? undefined : badName(p + layout.elementName, what)) ??
        (layout.elementId === undefined ? undefined : badId(p + layout.elementId));
      if (fault !== undefined) return fault;
    }
    // libbpf never looks at what a prototype returns.
    return isProto ? badId(at + 2) : undefined;
  };
  for (let i = 1; i < places.length; i++) {
    const text = faultAt(places[i]);
    if (text !== undefined) return new BtfError(`btf: type [${limits.firstId + i - 1}]: ${text}`, { warned: true });
  }
  return undefined;
};

/** Whether every FUNC refers to a FUNC_PROTO. */
const funcsHaveProtos = ({ words, places }: TypeTable, limits: ScanLimits): boolean => {
  for (let i = 1; i < places.length; i++) {
    const at = places[i];
    if (kindOf(words[at + 1]) !== BTF_KIND.FUNC) continue;
    const id = words[at + 2];
    const kind = id < limits.firstId ? limits.baseKind(id) : kindOf(words[places[id - limits.firstId + 1] + 1]);
    if (kind !== BTF_KIND.FUNC_PROTO) return false;
  }
  return true;
};

/**
 * Reads the type section: afterwards every name offset and type id found in it exists, and every FUNC refers to a
 * FUNC_PROTO. Throws BtfError. Rule: libbpf 1.8, btf.c (btf_parse_type_sec, btf_sanity_check).
 */
export const scanTypes = (
  bytes: Uint8Array,
  sections: BtfSections,
  layouts: readonly KindLayout[],
  limits: ScanLimits,
): TypeTable => {
  const { words, nothing, first, end } = wordsOf(bytes, sections);
  const { info, element, reference, elementName, elementId } = columnsOf(layouts);
  const places = new Int32Array(1 + Math.floor((end - first) / HEAD_WORDS));
  places[0] = nothing;
  let count = 1;
  let at = first;
  // Instead of comparing each offset and id with its limit, keep the greatest of both, and the sign bits of all. The
  // loops stand here and not in functions because they would be the first ones to run often: calls cost more by then.
  let maxString = 0;
  let maxId = 0;
  let signs = 0;
  let funcs = false;
  while (at + HEAD_WORDS <= end) {
    const header = words[at + 1];
    const kind = kindOf(header);
    const size = element[kind];
    if (size < 0 || kind === BTF_KIND.UNKN) throw new BtfError(`Unsupported BTF_KIND: ${kind}`);
    const elements = at + HEAD_WORDS + info[kind];
    const next = elements + size * vlenOf(header);
    if (next > end) throw new BtfError(`BTF type [${limits.firstId + count - 1}] is malformed`, { warned: true });
    places[count++] = at;

    let value = words[at];
    signs |= value;
    if (value > maxString) maxString = value;
    if (reference[kind] > 0) {
      value = words[at + 2];
      // Prototypes mostly stand in front of their functions; all others are looked at in the end.
      if (kind === BTF_KIND.FUNC) {
        const proto = value - limits.firstId + 1;
        if (proto <= 0 || proto >= count || kindOf(words[places[proto] + 1]) !== BTF_KIND.FUNC_PROTO) funcs = true;
      }
      signs |= value;
      if (value > maxId) maxId = value;
    } else if (kind === BTF_KIND.ARRAY) {
      value = words[at + 3];
      signs |= value;
      if (value > maxId) maxId = value;
      value = words[at + 4];
      signs |= value;
      if (value > maxId) maxId = value;
    }
    const nameColumn = elementName[kind];
    if (nameColumn >= 0) {
      for (let p = elements + nameColumn; p < next; p += size) {
        value = words[p];
        signs |= value;
        if (value > maxString) maxString = value;
      }
    }
    const idColumn = elementId[kind];
    if (idColumn >= 0) {
      for (let p = elements + idColumn; p < next; p += size) {
        value = words[p];
        signs |= value;
        if (value > maxId) maxId = value;
      }
    }
    at = next;
  }
  if ((at - first) * 4 !== sections.types.length) throw new BtfError('BTF types data is malformed', { warned: true });

  const table: TypeTable = { words, places: places.subarray(0, count) };
  const inBounds = signs >= 0 && maxString < limits.stringEnd && maxId < limits.firstId + count - 1;
  if (inBounds && (!funcs || funcsHaveProtos(table, limits))) return table;
  throw describeFault(table, limits) ?? new BtfError('BTF types data is malformed', { warned: true });
};
