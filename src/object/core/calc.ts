// The value that a CO-RE relocation puts in an instruction: offset, size, existence …
import type { Btf } from '../../btf/btf.ts';
import { BTF_KIND, INT_ENCODING, isEnum } from '../../btf/kinds.ts';
import type { CoreRelo } from '../btf-ext.ts';
import type { Messages } from '../print.ts';
import { CORE, coreWord, isEnumRelo, isFieldRelo, isTypeRelo } from './kinds.ts';
import type { CoreSpec } from './spec.ts';

const EINVAL = -22;
const E2BIG = -7;
const EOPNOTSUPP = -95;
/** Asks for the instruction to be made invalid. */
const POISON = -117;

/** What is expected in an instruction and what comes in its place. */
export interface CoreResult {
  before: bigint;
  after: bigint;
  /** The target does not exist: the instruction is to be made invalid. */
  poison: boolean;
  /** `before` must stand in the instruction. */
  validate: boolean;
  /** Loads and stores cannot be adapted to the target's size. */
  failSize: boolean;
  /** Bytes of the field; 0 where the size of the access need not change. */
  sizeBefore: number;
  sizeAfter: number;
  /** The path in the target, where it was found. */
  target?: CoreSpec;
}

interface Value {
  value: bigint;
  size: number;
  typeId: number;
  validate: boolean;
}

const plain = (value: number | bigint | boolean, validate = true): Value => ({
  value: BigInt(value),
  size: 0,
  typeId: 0,
  validate,
});

/** Bytes of one element of possibly nested arrays. */
function elementSize(btf: Btf, typeId: number): number {
  let id = btf.skipModsAndTypedefs(typeId);
  while (btf.kind(id) === BTF_KIND.ARRAY) id = btf.skipModsAndTypedefs(btf.arrayElem(id));
  return btf.resolveSize(id);
}

function fieldValue(relo: CoreRelo, spec: CoreSpec | undefined, program: string, messages: Messages): Value | number {
  if (relo.kind === CORE.FIELD_EXISTS) return plain(spec !== undefined);
  if (!spec) return POISON;
  const { btf, bitOffset } = spec;
  const accessor = spec.accessors.at(-1);
  if (!accessor) return EINVAL;
  if (accessor.name === undefined) {
    if (relo.kind === CORE.FIELD_BYTE_OFFSET) {
      const size = elementSize(btf, accessor.typeId);
      if (size < 0) return EINVAL;
      return { ...plain(Math.floor(bitOffset / 8)), size, typeId: accessor.typeId };
    }
    if (relo.kind === CORE.FIELD_BYTE_SIZE) {
      const size = btf.resolveSize(accessor.typeId);
      return size < 0 ? EINVAL : plain(size);
    }
    messages.warn(
      `prog '${program}': relo ${relo.kind} at insn #${Math.floor(relo.insnOff / 8)} can't be applied to array access`,
    );
    return EINVAL;
  }
  const type = btf.skipModsAndTypedefs(btf.memberType(accessor.typeId, accessor.index));
  let bits = btf.memberBitSize(accessor.typeId, accessor.index);
  const bitfield = bits > 0;
  let bytes: number;
  let byteOffset: number;
  if (bitfield) {
    bytes = btf.size(type);
    if (bytes === 0) return EINVAL;
    const align = (): number => Math.floor(Math.floor(bitOffset / 8) / bytes) * bytes;
    byteOffset = align();
    while (bitOffset + bits - byteOffset * 8 > bytes * 8) {
      if (bytes >= 8) {
        messages.warn(
          `prog '${program}': relo ${relo.kind} at insn #${Math.floor(relo.insnOff / 8)} ` +
            "can't be satisfied for bitfield",
        );
        return E2BIG;
      }
      bytes *= 2;
      byteOffset = align();
    }
  } else {
    bytes = btf.resolveSize(type);
    if (bytes < 0) return EINVAL;
    byteOffset = Math.floor(bitOffset / 8);
    bits = bytes * 8;
  }
  switch (relo.kind) {
    case CORE.FIELD_BYTE_OFFSET: {
      if (bitfield) return plain(byteOffset, false);
      const size = elementSize(btf, type);
      return size < 0 ? EINVAL : { ...plain(byteOffset), size, typeId: type };
    }
    case CORE.FIELD_BYTE_SIZE:
      return plain(bytes, !bitfield);
    case CORE.FIELD_SIGNED: {
      const kind = btf.kind(type);
      const signed =
        (isEnum(kind) && btf.kflag(type)) ||
        (kind === BTF_KIND.INT && (btf.intEncoding(type) & INT_ENCODING.SIGNED) !== 0);
      return plain(signed);
    }
    case CORE.FIELD_LSHIFT_U64:
      return plain(BigInt.asUintN(64, BigInt((64 - (bitOffset + bits - byteOffset * 8)) >>> 0)), !bitfield);
    case CORE.FIELD_RSHIFT_U64:
      return plain(BigInt((64 - bits) >>> 0));
    default:
      return EOPNOTSUPP;
  }
}

function typeValue(relo: CoreRelo, spec: CoreSpec | undefined): Value | number {
  if (!spec) return plain(0);
  switch (relo.kind) {
    case CORE.TYPE_ID_TARGET:
      return plain(spec.rootTypeId, false);
    case CORE.TYPE_EXISTS:
    case CORE.TYPE_MATCHES:
      return plain(1);
    case CORE.TYPE_SIZE: {
      const size = spec.btf.resolveSize(spec.rootTypeId);
      return size < 0 ? EINVAL : plain(size);
    }
    default:
      return EOPNOTSUPP;
  }
}

function enumValue(relo: CoreRelo, spec: CoreSpec | undefined): Value | number {
  if (relo.kind === CORE.ENUMVAL_EXISTS) return plain(spec !== undefined);
  if (!spec) return POISON;
  const { typeId, index } = spec.accessors[0];
  const value = spec.btf.enumValue(typeId, index);
  // 32-bit enumerators are signed there, whatever the enumeration says.
  const wide = spec.btf.kind(typeId) === BTF_KIND.ENUM ? BigInt.asIntN(32, value) : value;
  return plain(BigInt.asUintN(64, wide));
}

/** True when a load may be made wider or narrower: pointers, and integers that are not merely "signed". */
function sizesMayDiffer(a: Btf, aId: number, b: Btf, bId: number): boolean {
  const kind = a.kind(aId);
  if (kind !== b.kind(bId)) return false;
  if (kind === BTF_KIND.PTR) return true;
  const signed = (btf: Btf, id: number): boolean => btf.intEncoding(id) === INT_ENCODING.SIGNED;
  return kind === BTF_KIND.INT && !signed(a, aId) && !signed(b, bId);
}

/** The result for one candidate, or for none; a negative errno when there is no answer. Rule: libbpf 1.8. */
export function calculate(
  relo: CoreRelo,
  index: number,
  local: CoreSpec,
  target: CoreSpec | undefined,
  program: string,
  messages: Messages,
): CoreResult | number {
  const result: CoreResult = {
    before: 0n,
    after: 0n,
    poison: false,
    validate: true,
    failSize: false,
    sizeBefore: 0,
    sizeAfter: 0,
  };
  const valueIn = (spec: CoreSpec | undefined): Value | number => {
    if (isFieldRelo(relo.kind)) return fieldValue(relo, spec, program, messages);
    if (isTypeRelo(relo.kind)) return typeValue(relo, spec);
    return isEnumRelo(relo.kind) ? enumValue(relo, spec) : EOPNOTSUPP;
  };
  const before = valueIn(local);
  const after = typeof before === 'number' ? before : valueIn(target);
  if (typeof before !== 'number') {
    result.before = before.value;
    result.sizeBefore = before.size;
    if (!isEnumRelo(relo.kind)) result.validate = before.validate;
  }
  if (after === POISON) {
    result.poison = true;
    return result;
  }
  if (typeof before === 'number' || typeof after === 'number') {
    if (after === EOPNOTSUPP) {
      messages.warn(
        `prog '${program}': relo #${index}: unrecognized CO-RE relocation ${coreWord(relo.kind)} (${relo.kind}) ` +
          `at insn #${Math.floor(relo.insnOff / 8)}`,
      );
    }
    return after as number;
  }
  result.after = after.value;
  result.sizeAfter = after.size;
  if (isFieldRelo(relo.kind) && before.size !== after.size && target) {
    result.failSize = !sizesMayDiffer(local.btf, before.typeId, target.btf, after.typeId);
  }
  return result;
}
