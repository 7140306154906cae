// First walk over the types: each by itself must be well formed. rule: btf_check_all_metas, btf.c, 6.18
import { BTF_KIND } from '../../../btf/btf.ts';
import { ERRNO } from '../../../errno.ts';
import type { BtfLog } from './btf-log.ts';
import { isIdentifier, isSectionName } from './names.ts';
import { HEAD_BYTES, type RawBtf } from './raw-btf.ts';

const INFO_MASK = 0x9f00ffff;
const INT_MASK = 0x0fffffff;
const MAX_TYPE = 0xfffff;
const MAX_KIND = BTF_KIND.ENUM64;
const MAX_INT_BITS = 128;
const INT_ENCODINGS: readonly number[] = [0, 1, 2, 4];
const FLOAT_SIZES: readonly number[] = [2, 4, 8, 12, 16];
const ENUM_SIZES: readonly number[] = [1, 2, 4, 8];
const MAX_LINKAGE_OF_FUNC = 1;
const MAX_LINKAGE_OF_VAR = 1;

const hex = (n: number): string => n.toString(16);
const isTypeId = (id: number): boolean => id <= MAX_TYPE;

/** Checks one type, whose head is known to be there. */
class Meta {
  private readonly btf: RawBtf;
  private readonly log: BtfLog;
  private readonly id: number;
  /** Bytes behind the head, up to the end of the section. */
  private readonly left: number;

  constructor(btf: RawBtf, log: BtfLog, id: number, left: number) {
    this.btf = btf;
    this.log = log;
    this.id = id;
    this.left = left;
  }

  private fail(remark: string): never {
    return this.log.failType(this.id, remark);
  }

  private need(bytes: number): number {
    if (this.left < bytes) this.log.failBasic(this.id, `meta_left:${this.left} meta_needed:${bytes}`);
    return bytes;
  }

  private get name(): Uint8Array {
    return this.btf.stringBytes(this.btf.nameOffset(this.id));
  }

  private get isNamed(): boolean {
    return this.btf.nameOffset(this.id) !== 0;
  }

  private noElements(): void {
    if (this.btf.vlen(this.id) !== 0) this.fail('vlen != 0');
  }

  private noFlag(): void {
    if (this.btf.kflag(this.id)) this.fail('Invalid btf_info kind_flag');
  }

  private noName(): void {
    if (this.isNamed) this.fail('Invalid name');
  }

  private identifier(): void {
    if (!this.isNamed || !isIdentifier(this.name)) this.fail('Invalid name');
  }

  private identifierOrNone(): void {
    if (this.isNamed && !isIdentifier(this.name)) this.fail('Invalid name');
  }

  int(): number {
    const needed = this.need(4);
    this.noElements();
    this.noFlag();
    const { btf, id, log } = this;
    const data = btf.word(id, 0);
    if ((data & ~INT_MASK) !== 0) log.failBasic(id, `Invalid int_data:${hex(data)}`);
    const bits = btf.intBits(id) + btf.intOffset(id);
    if (bits > MAX_INT_BITS) this.fail(`nr_bits exceeds ${MAX_INT_BITS}`);
    if (Math.ceil(bits / 8) > btf.third(id)) this.fail('nr_bits exceeds type_size');
    if (!INT_ENCODINGS.includes(btf.intEncoding(id))) log.failType(id, 'Unsupported encoding', ERRNO.ENOTSUPP);
    log.type(id);
    return needed;
  }

  /** Pointers, typedefs and modifiers. */
  reference(): number {
    const { btf, id } = this;
    const kind = btf.kind(id);
    this.noElements();
    if (kind !== BTF_KIND.TYPE_TAG) this.noFlag();
    if (!isTypeId(btf.third(id))) this.fail('Invalid type_id');
    if (kind === BTF_KIND.TYPEDEF) this.identifier();
    else if (kind !== BTF_KIND.TYPE_TAG) this.noName();
    else if (this.name.length === 0) this.fail('Invalid name');
    this.log.type(id);
    return 0;
  }

  forward(): number {
    this.noElements();
    if (this.btf.third(this.id) !== 0) this.fail('type != 0');
    this.identifier();
    this.log.type(this.id);
    return 0;
  }

  array(): number {
    const needed = this.need(12);
    const { btf, id } = this;
    this.noName();
    this.noElements();
    this.noFlag();
    if (btf.third(id) !== 0) this.fail('size != 0');
    const [element, index] = [btf.word(id, 0), btf.word(id, 1)];
    if (element === 0 || !isTypeId(element)) this.fail('Invalid elem');
    if (index === 0 || !isTypeId(index)) this.fail('Invalid index');
    this.log.type(id);
    return needed;
  }

  composite(): number {
    const { btf, id, log } = this;
    const needed = this.need(btf.vlen(id) * 12);
    this.identifierOrNone();
    log.type(id);
    const isUnion = btf.kind(id) === BTF_KIND.UNION;
    let last = 0;
    for (let i = 0; i < btf.vlen(id); i++) {
      const [name, type, raw] = [0, 1, 2].map((word) => btf.word(id, i * 3 + word));
      if (!btf.isNameOffset(name)) log.failMember(id, i, `Invalid member name_offset:${name}`);
      if (name !== 0 && !isIdentifier(btf.stringBytes(name))) log.failMember(id, i, 'Invalid name');
      if (type === 0 || !isTypeId(type)) log.failMember(id, i, 'Invalid type_id');
      const offset = btf.kflag(id) ? raw & 0xffffff : raw;
      if ((isUnion && offset !== 0) || last > offset) log.failMember(id, i, 'Invalid member bits_offset');
      if (Math.ceil(offset / 8) > btf.third(id)) {
        log.failMember(id, i, 'Member bits_offset exceeds its struct size');
      }
      log.member(id, i);
      last = offset;
    }
    return needed;
  }

  /** Enumerations of 32 and of 64 bits. */
  enumeration(): number {
    const { btf, id, log } = this;
    const words = btf.kind(id) === BTF_KIND.ENUM64 ? 3 : 2;
    const needed = this.need(btf.vlen(id) * words * 4);
    if (!ENUM_SIZES.includes(btf.third(id))) this.fail('Unexpected size');
    this.identifierOrNone();
    log.type(id);
    for (let i = 0; i < btf.vlen(id); i++) {
      const name = btf.word(id, i * words);
      if (!btf.isNameOffset(name)) log.fail(`\tInvalid name_offset:${name}`);
      if (name === 0 || !isIdentifier(btf.stringBytes(name))) this.fail('Invalid name');
      if (log.isOn) log.write(`\t${btf.name(name)} val=${this.enumerator(i, words)}\n`);
    }
    return needed;
  }

  private enumerator(i: number, words: number): bigint {
    const { btf, id } = this;
    const low = BigInt(btf.word(id, i * words + 1));
    const value = words === 3 ? (BigInt(btf.word(id, i * words + 2)) << 32n) | low : low;
    return btf.kflag(id) ? BigInt.asIntN(words === 3 ? 64 : 32, value) : value;
  }

  func(): number {
    this.identifier();
    if (this.btf.vlen(this.id) > MAX_LINKAGE_OF_FUNC) this.fail('Invalid func linkage');
    this.noFlag();
    this.log.type(this.id);
    return 0;
  }

  prototype(): number {
    const needed = this.need(this.btf.vlen(this.id) * 8);
    this.noName();
    this.noFlag();
    this.log.type(this.id);
    return needed;
  }

  variable(): number {
    const needed = this.need(4);
    const { btf, id } = this;
    this.noElements();
    this.noFlag();
    this.identifier();
    if (btf.third(id) === 0 || !isTypeId(btf.third(id))) this.fail('Invalid type_id');
    if (btf.word(id, 0) > MAX_LINKAGE_OF_VAR) this.fail('Linkage not supported');
    this.log.type(id);
    return needed;
  }

  section(): number {
    const { btf, id, log } = this;
    const needed = this.need(btf.vlen(id) * 12);
    const size = btf.third(id);
    if (size === 0) this.fail('size == 0');
    this.noFlag();
    if (!this.isNamed || !isSectionName(this.name)) this.fail('Invalid name');
    log.type(id);
    let end = 0;
    for (let i = 0; i < btf.vlen(id); i++) {
      const [type, offset, bytes] = [0, 1, 2].map((word) => btf.word(id, i * 3 + word));
      if (type === 0 || !isTypeId(type)) log.failVariable(id, i, 'Invalid type_id');
      if (offset < end || offset >= size) log.failVariable(id, i, 'Invalid offset');
      if (bytes === 0 || bytes > size) log.failVariable(id, i, 'Invalid size');
      // The sum wraps at 32 bits.
      end = (offset + bytes) >>> 0;
      if (end > size) log.failVariable(id, i, 'Invalid offset+size');
      log.variable(id, i);
    }
    return needed;
  }

  float(): number {
    this.noElements();
    this.noFlag();
    if (!FLOAT_SIZES.includes(this.btf.third(this.id))) this.fail('Invalid type_size');
    this.log.type(this.id);
    return 0;
  }

  declTag(): number {
    const needed = this.need(4);
    if (this.name.length === 0) this.fail('Invalid value');
    this.noElements();
    if ((this.btf.word(this.id, 0) | 0) < -1) this.fail('Invalid component_idx');
    this.log.type(this.id);
    return needed;
  }
}

/** How a type of each kind is checked; gives the bytes behind its head. */
const CHECKS: Readonly<Record<number, (meta: Meta) => number>> = {
  [BTF_KIND.INT]: (m) => m.int(),
  [BTF_KIND.PTR]: (m) => m.reference(),
  [BTF_KIND.ARRAY]: (m) => m.array(),
  [BTF_KIND.STRUCT]: (m) => m.composite(),
  [BTF_KIND.UNION]: (m) => m.composite(),
  [BTF_KIND.ENUM]: (m) => m.enumeration(),
  [BTF_KIND.FWD]: (m) => m.forward(),
  [BTF_KIND.TYPEDEF]: (m) => m.reference(),
  [BTF_KIND.VOLATILE]: (m) => m.reference(),
  [BTF_KIND.CONST]: (m) => m.reference(),
  [BTF_KIND.RESTRICT]: (m) => m.reference(),
  [BTF_KIND.FUNC]: (m) => m.func(),
  [BTF_KIND.FUNC_PROTO]: (m) => m.prototype(),
  [BTF_KIND.VAR]: (m) => m.variable(),
  [BTF_KIND.DATASEC]: (m) => m.section(),
  [BTF_KIND.FLOAT]: (m) => m.float(),
  [BTF_KIND.DECL_TAG]: (m) => m.declTag(),
  [BTF_KIND.TYPE_TAG]: (m) => m.reference(),
  [BTF_KIND.ENUM64]: (m) => m.enumeration(),
};

/** Checks all types of the section and adds them to `btf`; throws BtfFault. */
export function checkMetas(btf: RawBtf, log: BtfLog): void {
  for (let at = btf.typesStart; at < btf.typesEnd; log.typeId++) {
    const left = btf.typesEnd - at;
    const id = btf.count;
    if (left < HEAD_BYTES) log.fail(`[${log.typeId}] meta_left:${left} meta_needed:${HEAD_BYTES}`);
    btf.add(at);
    const info = btf.info(id);
    const kind = btf.kind(id);
    if ((info & ~INFO_MASK) !== 0) log.fail(`[${log.typeId}] Invalid btf_info:${hex(info)}`);
    if (kind > MAX_KIND || kind === BTF_KIND.UNKN) log.fail(`[${log.typeId}] Invalid kind:${kind}`);
    if (!btf.isNameOffset(btf.nameOffset(id))) {
      log.fail(`[${log.typeId}] Invalid name_offset:${btf.nameOffset(id)}`);
    }
    const bytes = CHECKS[kind](new Meta(btf, log, id, left - HEAD_BYTES));
    if (id >= MAX_TYPE) log.fail('Exceeded max num of types', ERRNO.E2BIG);
    at += HEAD_BYTES + bytes;
  }
}
