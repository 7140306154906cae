// The parts of a C skeleton that let user space fill in struct_ops maps before the load. Rule: bpftool 7.8, gen.c.
import type { Btf } from '../../btf/btf.ts';
import type { Declarations } from '../../btf/c/declare.ts';
import { BTF_KIND, isEnum } from '../../btf/kinds.ts';
import { ObjectError } from '../errors.ts';
import type { ObjectSpec } from '../spec.ts';
import { declarationsOf } from './datasecs.ts';
import { isStructOps, type NamedMap, namedMaps } from './object-names.ts';

const MEMBER_LEVEL = 3;
const POINTER_BYTES = 8;
/** Place of a bitfield's width in the word that holds its offset. */
const WIDTH_UNIT = 1 << 24;

const structOpsMaps = (object: ObjectSpec): NamedMap[] => namedMaps(object).filter(({ map }) => isStructOps(map));

const isFunctionPointer = (btf: Btf, type: number): boolean => {
  const pointer = btf.skipModsAndTypedefs(type);
  if (btf.kind(pointer) !== BTF_KIND.PTR) return false;
  return btf.kind(btf.skipModsAndTypedefs(btf.type(pointer))) === BTF_KIND.FUNC_PROTO;
};

const sizeOf = (btf: Btf, type: number, name: string): number => {
  const size = btf.resolveSize(type);
  if (size < 0) throw new ObjectError('EINVAL', `Failed to resolve size of ${name}: ${-22}\n`);
  return size;
};

/** Numbers as they are, function pointers as programs, everything else as bytes. */
const members = (btf: Btf, c: Declarations, struct: number, write: (text: string) => void): void => {
  const line = (text: string): void => write(`\t\t\t${text};\n`);
  let end = 0;
  for (let i = 0; i < btf.vlen(struct); i++) {
    const type = btf.skipModsAndTypedefs(btf.memberType(struct, i));
    const name = btf.memberName(struct, i);
    const bits = btf.memberBitOffset(struct, i) + btf.memberBitSize(struct, i) * WIDTH_UNIT;
    const offset = Math.floor(bits / 8);
    if (end < offset) line(`char __padding_${i}[${offset - end}]`);
    const kind = btf.kind(type);
    if (kind === BTF_KIND.INT || kind === BTF_KIND.FLOAT || isEnum(kind)) {
      line(c.declare(type, name, MEMBER_LEVEL));
      end = offset + sizeOf(btf, type, name);
    } else if (isFunctionPointer(btf, type)) {
      line(`struct bpf_program *${name}`);
      end = offset + POINTER_BYTES;
    } else {
      const size = sizeOf(btf, type, name);
      line(`char __unsupported_${i}[${size}]`);
      end = offset + size;
    }
  }
  const size = btf.resolveSize(struct);
  if (end < size) line(`char __padding_end[${size - end}]`);
};

/** The struct `struct_ops`, with a pointer for each map; nothing without such maps. Throws ObjectError. */
export const writeStructOps = (
  object: ObjectSpec,
  btf: Btf | undefined,
  name: string,
  write: (text: string) => void,
): void => {
  const maps = structOpsMaps(object);
  if (!btf || maps.length === 0) return;
  write('\tstruct {\n');
  for (const { map, ident } of maps) {
    write(`\t\tstruct ${name}__${ident}__${btf.name(map.btfValueTypeId)} {\n`);
    members(btf, declarationsOf(btf), map.btfValueTypeId, write);
    write(`\t\t} *${ident};\n`);
  }
  write('\t} struct_ops;\n');
};

/** Code that sets those pointers. */
export const structOpsSetup = (object: ObjectSpec): string => {
  if (!object.btf) return '';
  return structOpsMaps(object)
    .map(
      ({ ident }) => `\tobj->struct_ops.${ident} = (__typeof__(obj->struct_ops.${ident}))
\t\tbpf_map__initial_value(obj->maps.${ident}, NULL);

`,
    )
    .join('');
};
