// Whether a member fits its struct, by the kind of the member. rule: btf_*_check_member, btf.c, 6.18
import { BTF_KIND } from '../../../btf/btf.ts';
import type { BtfLog } from './btf-log.ts';
import type { RawBtf } from './raw-btf.ts';
import type { Resolved } from './resolved.ts';

const POINTER_BYTES = 8;
const MAX_COPIED_BITS = 128;
const ENUM_BITS = 32;
const MAX_U32 = 0xffffffff;

/** What a check needs: the member, and the type that it has behind modifiers. */
interface Member {
  btf: RawBtf;
  resolved: Resolved;
  struct: number;
  i: number;
  type: number;
  fail(remark: string): never;
}

const rawOffset = ({ btf, struct, i }: Member): number => btf.word(struct, i * 3 + 2);

/** A member of whole bytes. */
function checkBytes(m: Member, size: number): void {
  const offset = rawOffset(m);
  if (offset & 7) m.fail('Member is not byte aligned');
  if (m.btf.third(m.struct) - (offset >>> 3) < size) m.fail('Member exceeds struct_size');
}

/** Bits that are read together with those before them in their byte must fit the struct, and 128 bits. */
function checkBits(m: Member, offset: number, bits: number): void {
  const copied = bits + (offset & 7);
  if (copied > MAX_COPIED_BITS) m.fail('nr_copy_bits exceeds 128');
  const at = offset >>> 3;
  const size = m.btf.third(m.struct);
  if (size < at || size - at < Math.ceil(copied / 8)) m.fail('Member exceeds struct_size');
}

function checkInt(m: Member): void {
  const offset = rawOffset(m) + m.btf.intOffset(m.type);
  if (offset > MAX_U32) m.fail('bits_offset exceeds U32_MAX');
  checkBits(m, offset, m.btf.intBits(m.type));
}

function checkIntBitfield(m: Member): void {
  if (!m.btf.isRegularInt(m.type)) m.fail('Invalid member base type');
  const raw = rawOffset(m);
  const offset = raw & 0xffffff;
  const bits = raw >>> 24;
  const whole = m.btf.intBits(m.type);
  if (bits === 0 && offset & 7) m.fail('Invalid member offset');
  if (bits > whole) m.fail('Invalid member bitfield_size');
  checkBits(m, offset, bits || whole);
}

function checkEnumBitfield(m: Member): void {
  const raw = rawOffset(m);
  const offset = raw & 0xffffff;
  const bits = raw >>> 24;
  if (bits === 0 && offset & 7) m.fail('Member is not byte aligned');
  if (bits > ENUM_BITS) m.fail('Invalid member bitfield_size');
  const end = Math.ceil((offset + (bits || ENUM_BITS)) / 8);
  if (m.btf.third(m.struct) < end) m.fail('Member exceeds struct_size');
}

function checkFloat(m: Member): void {
  const offset = rawOffset(m);
  const size = m.btf.third(m.type);
  if (offset % (Math.min(POINTER_BYTES, size) * 8) !== 0) m.fail('Member is not properly aligned');
  if (Math.floor(offset / 8) + size > m.btf.third(m.struct)) m.fail('Member exceeds struct_size');
}

type Check = (m: Member) => void;
interface Checks {
  plain: Check;
  /** In a struct whose offsets hold sizes of bitfields. */
  bitfield: Check;
}

/** A kind that cannot be a bitfield. */
const whole = (plain: Check): Checks => ({
  plain,
  bitfield(m) {
    if (rawOffset(m) >>> 24) m.fail('Invalid member bitfield_size');
    plain(m);
  },
});

const ofItsSize: Check = (m) => checkBytes(m, m.btf.third(m.type));
const composite = whole(ofItsSize);
const enumeration: Checks = { plain: ofItsSize, bitfield: checkEnumBitfield };

const CHECKS: Readonly<Record<number, Checks>> = {
  [BTF_KIND.INT]: { plain: checkInt, bitfield: checkIntBitfield },
  [BTF_KIND.PTR]: whole((m) => checkBytes(m, POINTER_BYTES)),
  [BTF_KIND.ARRAY]: whole((m) => checkBytes(m, m.resolved.sizes[m.type])),
  [BTF_KIND.STRUCT]: composite,
  [BTF_KIND.UNION]: composite,
  [BTF_KIND.ENUM]: enumeration,
  [BTF_KIND.ENUM64]: enumeration,
  [BTF_KIND.FLOAT]: whole(checkFloat),
};

/** Checks member `i` of a struct, whose type has been resolved; throws BtfFault. */
export function checkMember(btf: RawBtf, log: BtfLog, resolved: Resolved, struct: number, i: number): void {
  // What is behind modifiers stands for the member, in the log too.
  const fail = (remark: string): never => log.failMember(struct, i, remark, type);
  let type = btf.word(struct, i * 3 + 1);
  if (btf.isModifier(type)) type = (resolved.sized(type) ?? fail('Invalid member')).id;
  const word = btf.kflag(struct) ? 'check_kflag_member' : 'check_member';
  const checks = CHECKS[btf.kind(type)] ?? log.failBasic(struct, `Unsupported ${word}`);
  checks[btf.kflag(struct) ? 'bitfield' : 'plain']({ btf, resolved, struct, i, type, fail });
}
