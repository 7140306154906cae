// What the log tells of a type of each kind.
import { BTF_KIND } from '../../../btf/btf.ts';
import type { RawBtf } from './raw-btf.ts';

const ENCODINGS: Readonly<Record<number, string>> = { 0: '(none)', 1: 'SIGNED', 2: 'CHAR', 4: 'BOOL' };

type Details = (btf: RawBtf, id: number) => string[];

const reference: Details = (btf, id) => [`type_id=${btf.third(id)}`];
const composite: Details = (btf, id) => [`size=${btf.third(id)} vlen=${btf.vlen(id)}`];

/** rule: btf_func_proto_log, 6.18 */
const prototype: Details = (btf, id) => {
  const count = btf.vlen(id);
  const out = [`return=${btf.third(id)} args=(`];
  const type = (i: number): number => btf.word(id, i * 2 + 1);
  const parameter = (i: number): string => `${type(i)} ${btf.name(btf.word(id, i * 2))}`;
  if (count === 0) out.push('void');
  else if (count === 1 && type(0) === 0) out.push('vararg');
  else {
    out.push(parameter(0));
    for (let i = 1; i < count; i++) {
      out.push(i === count - 1 && type(i) === 0 ? ', vararg' : `, ${parameter(i)}`);
    }
  }
  return [...out, ')'];
};

const DETAILS: Readonly<Record<number, Details>> = {
  [BTF_KIND.INT]: (btf, id) => {
    const encoding = ENCODINGS[btf.intEncoding(id)] ?? 'UNKN';
    return [`size=${btf.third(id)} bits_offset=${btf.intOffset(id)} nr_bits=${btf.intBits(id)} encoding=${encoding}`];
  },
  [BTF_KIND.PTR]: reference,
  [BTF_KIND.ARRAY]: (btf, id) => [
    `type_id=${btf.word(id, 0)} index_type_id=${btf.word(id, 1)} nr_elems=${btf.word(id, 2)}`,
  ],
  [BTF_KIND.STRUCT]: composite,
  [BTF_KIND.UNION]: composite,
  [BTF_KIND.ENUM]: composite,
  [BTF_KIND.ENUM64]: composite,
  [BTF_KIND.DATASEC]: composite,
  [BTF_KIND.FWD]: (btf, id) => [btf.kflag(id) ? 'union' : 'struct'],
  [BTF_KIND.TYPEDEF]: reference,
  [BTF_KIND.VOLATILE]: reference,
  [BTF_KIND.CONST]: reference,
  [BTF_KIND.RESTRICT]: reference,
  [BTF_KIND.TYPE_TAG]: reference,
  [BTF_KIND.FUNC]: reference,
  [BTF_KIND.FUNC_PROTO]: prototype,
  [BTF_KIND.VAR]: (btf, id) => [`type_id=${btf.third(id)} linkage=${btf.word(id, 0)}`],
  [BTF_KIND.FLOAT]: (btf, id) => [`size=${btf.third(id)}`],
  [BTF_KIND.DECL_TAG]: (btf, id) => [`type=${btf.third(id)} component_idx=${btf.word(id, 0) | 0}`],
};

/** The pieces in which the kernel writes them. */
export const detailsOf: Details = (btf, id) => DETAILS[btf.kind(id)](btf, id);

/** A member, whose type is named by this id. */
export function memberText(btf: RawBtf, struct: number, i: number, type: number): string {
  const nameOffset = btf.word(struct, i * 3);
  const offset = btf.word(struct, i * 3 + 2);
  const head = `\t${btf.name(nameOffset)} type_id=${type}`;
  if (!btf.kflag(struct)) return `${head} bits_offset=${offset}`;
  return `${head} bitfield_size=${offset >>> 24} bits_offset=${offset & 0xffffff}`;
}
