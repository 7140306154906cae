// The path of a CO-RE relocation: which member of which member of a type, read from its access string or matched.
import type { Btf } from '../../btf/btf.ts';
import { BTF_KIND, isComposite, isEnum } from '../../btf/kinds.ts';
import type { CoreRelo } from '../btf-ext.ts';
import { kindWord } from '../btf-words.ts';
import type { Messages } from '../print.ts';
import { coreWord, isEnumRelo, isFieldRelo, isTypeRelo } from './kinds.ts';

/** Longest path. */
export const MAX_PATH = 64;
const EINVAL = -22;
const E2BIG = -7;

/** A turning point of the path: a named member, or an array element (without a name). */
export interface Accessor {
  typeId: number;
  index: number;
  name: string | undefined;
}

export interface CoreSpec {
  btf: Btf;
  rootTypeId: number;
  /** CORE. */
  kind: number;
  accessors: Accessor[];
  /** Every step, anonymous members included. */
  raw: number[];
  /** Unsigned 32 bits. */
  bitOffset: number;
}

export const emptySpec = (btf: Btf, rootTypeId: number, kind: number): CoreSpec => ({
  btf,
  rootTypeId,
  kind,
  accessors: [],
  raw: [],
  bitOffset: 0,
});

/** `count` elements of `bytes` bytes, in bits; what 32 bits hold of it. */
export const elementBits = (count: number, bytes: number): number =>
  Number(BigInt.asUintN(32, BigInt(count) * BigInt(bytes) * 8n));

export const addBits = (a: number, b: number): number => (a + b) >>> 0;

/** True for the last member of a struct when it is an array of length 0, which may be indexed without end. */
export function isFlexibleArray(btf: Btf, accessor: Accessor | undefined, arrayId: number): boolean {
  if (accessor?.name === undefined || btf.arrayLength(arrayId) > 0) return false;
  return accessor.index === btf.vlen(accessor.typeId) - 1;
}

/** Numbers of "0:1:2"; a negative errno when it is none. */
function parseAccess(text: string): number[] | number {
  const out: number[] = [];
  let rest = text;
  while (rest !== '') {
    if (rest.startsWith(':')) rest = rest.slice(1);
    const number = /^\d+/.exec(rest)?.[0];
    if (number === undefined || Number(number) > 0x7fffffff) return EINVAL;
    if (out.length === MAX_PATH) return E2BIG;
    out.push(Number(number));
    rest = rest.slice(number.length);
  }
  return out;
}

/** Reads the path of a relocation in the object's own BTF; a negative errno when it makes no sense. Rule: libbpf 1.8. */
export function parseSpec(btf: Btf, relo: CoreRelo, program: string, messages: Messages): CoreSpec | number {
  const text = btf.str(relo.accessOffset);
  if (text === '' || text.startsWith(':')) return EINVAL;
  const spec = emptySpec(btf, relo.typeId, relo.kind);
  if (isTypeRelo(relo.kind)) return text === '0' ? spec : EINVAL;
  const raw = parseAccess(text);
  if (typeof raw === 'number') return raw;
  spec.raw = raw;
  let id = btf.skipModsAndTypedefs(relo.typeId);
  const first: Accessor = { typeId: id, index: raw[0], name: undefined };
  spec.accessors.push(first);
  if (isEnumRelo(relo.kind)) {
    if (!isEnum(btf.kind(id)) || raw.length > 1 || raw[0] >= btf.vlen(id)) return EINVAL;
    first.name = btf.enumName(id, raw[0]);
    return spec;
  }
  if (!isFieldRelo(relo.kind)) return EINVAL;
  const size = btf.resolveSize(id);
  if (size < 0) return EINVAL;
  spec.bitOffset = elementBits(raw[0], size);
  for (let i = 1; i < raw.length; i++) {
    id = btf.skipModsAndTypedefs(id);
    const index = raw[i];
    if (isComposite(btf.kind(id))) {
      if (index >= btf.vlen(id)) return EINVAL;
      spec.bitOffset = addBits(spec.bitOffset, btf.memberBitOffset(id, index));
      const name = btf.memberName(id, index);
      if (name !== '') spec.accessors.push({ typeId: id, index, name });
      id = btf.memberType(id, index);
    } else if (btf.kind(id) === BTF_KIND.ARRAY) {
      const array = id;
      id = btf.skipModsAndTypedefs(btf.arrayElem(array));
      const flexible = isFlexibleArray(btf, spec.accessors.at(-1), array);
      if (!flexible && index >= btf.arrayLength(array)) return EINVAL;
      spec.accessors.push({ typeId: id, index, name: undefined });
      const element = btf.resolveSize(id);
      if (element < 0) return EINVAL;
      spec.bitOffset = addBits(spec.bitOffset, elementBits(index, element));
    } else {
      const place = id;
      messages.warn(
        `prog '${program}': relo for [${relo.typeId}]  (at idx ${i}) captures type [${place}] of unexpected kind ` +
          kindWord(btf, place),
      );
      return EINVAL;
    }
  }
  return spec;
}

/** "<byte_off> [94] struct __sk_buff.len (0:0 @ offset 0)", as messages show a path. */
export function formatSpec(spec: CoreSpec): string {
  const { btf, rootTypeId, kind } = spec;
  const head = `<${coreWord(kind)}> [${rootTypeId}] ${kindWord(btf, rootTypeId)} ${btf.name(rootTypeId) || '<anon>'}`;
  if (isTypeRelo(kind)) return head;
  if (isEnumRelo(kind)) {
    const id = btf.skipModsAndTypedefs(rootTypeId);
    const index = spec.raw[0] ?? 0;
    if (!isEnum(btf.kind(id)) || index >= btf.vlen(id)) return head;
    return `${head}::${btf.enumName(id, index)} = ${btf.enumValue(id, index)}`;
  }
  if (!isFieldRelo(kind)) return head;
  const path = spec.accessors
    .map((a, i) => (a.name !== undefined ? `.${a.name}` : i > 0 || a.index > 0 ? `[${a.index}]` : ''))
    .join('');
  const bits = spec.bitOffset % 8 ? `.${spec.bitOffset % 8}` : '';
  return `${head}${path} (${spec.raw.join(':')} @ offset ${Math.floor(spec.bitOffset / 8)}${bits})`;
}
