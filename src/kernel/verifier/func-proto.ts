// The shape of a kernel function as far as calls and hooks depend on it. Rule: btf_distill_func_proto, btf.c, 6.18.
import { BTF_KIND, type Btf } from '../../btf/btf.ts';
import { ERRNO } from '../../errno.ts';
import type { VerifierLog } from './log.ts';

/** Arguments that a function may have at most. */
const MAX_ARGS = 12;
const MAX_STRUCT_ARG = 16;
const POINTER_BYTES = 8;

/** `struct btf_func_model`: sizes in bytes. */
export interface FuncModel {
  retSize: number;
  retSigned: boolean;
  argSizes: number[];
}

/** Kinds as Linux prints them in messages (btf_type_str). */
const KIND_TEXT = [
  'UNKNOWN',
  'INT',
  'PTR',
  'ARRAY',
  'STRUCT',
  'UNION',
  'ENUM',
  'FWD',
  'TYPEDEF',
  'VOLATILE',
  'CONST',
  'RESTRICT',
  'FUNC',
  'FUNC_PROTO',
  'VAR',
  'DATASEC',
  'FLOAT',
  'DECL_TAG',
  'TYPE_TAG',
  'ENUM64',
];

export const kindText = (btf: Btf, id: number): string => KIND_TEXT[btf.kind(id)] ?? 'UNKNOWN';

const isStruct = (kind: number): boolean => kind === BTF_KIND.STRUCT || kind === BTF_KIND.UNION;

/** Bytes that a value of a type takes in a register or on the stack; 0 of void, negative where Linux has no answer. */
function valueSize(btf: Btf, id: number): number {
  if (id === 0) return 0;
  const type = btf.skipModsAndTypedefs(id);
  switch (btf.kind(type)) {
    case BTF_KIND.PTR:
      return POINTER_BYTES;
    case BTF_KIND.INT:
    case BTF_KIND.ENUM:
    case BTF_KIND.ENUM64:
    case BTF_KIND.STRUCT:
    case BTF_KIND.UNION:
      return btf.size(type);
    default:
      return -ERRNO.EINVAL;
  }
}

/** Type that messages name: Linux keeps the last one that it could give a size, else void. */
function namedType(btf: Btf, id: number): number {
  return id === 0 ? 0 : btf.skipModsAndTypedefs(id);
}

const isSignedInt = (btf: Btf, id: number): boolean => {
  const type = namedType(btf, id);
  return btf.kind(type) === BTF_KIND.INT && (btf.intEncoding(type) & 1) !== 0;
};

/** Model of the FUNC_PROTO `proto`, or a negative errno with its reason in the log. */
export function distillFuncProto(log: VerifierLog, btf: Btf, proto: number, name: string): FuncModel | number {
  const count = btf.vlen(proto);
  if (count > MAX_ARGS) {
    log.write(`The function ${name} has ${count} arguments. Too many.\n`);
    return -ERRNO.EINVAL;
  }
  const ret = btf.type(proto);
  const retSize = valueSize(btf, ret);
  if (retSize < 0 || isStruct(btf.kind(namedType(btf, ret)))) {
    log.write(`The function ${name} return type ${kindText(btf, namedType(btf, ret))} is unsupported.\n`);
    return -ERRNO.EINVAL;
  }
  const argSizes: number[] = [];
  for (let i = 0; i < count; i++) {
    const type = btf.paramType(proto, i);
    if (i === count - 1 && type === 0) {
      log.write(`The function ${name} with variable args is unsupported.\n`);
      return -ERRNO.EINVAL;
    }
    const size = valueSize(btf, type);
    if (size < 0 || size > MAX_STRUCT_ARG) {
      log.write(`The function ${name} arg${i} type ${kindText(btf, namedType(btf, type))} is unsupported.\n`);
      return -ERRNO.EINVAL;
    }
    if (size === 0) {
      log.write(`The function ${name} has malformed void argument.\n`);
      return -ERRNO.EINVAL;
    }
    argSizes.push(size);
  }
  return { retSize, retSigned: isSignedInt(btf, ret), argSizes };
}
