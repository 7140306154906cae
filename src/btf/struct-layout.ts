// Where the members of a struct lie, and what lies between them.
import { type Btf, BtfError } from './btf.ts';
import { BTF_KIND, isComposite } from './kinds.ts';
import { TypeTexts } from './type-text.ts';

/** Bytes of a cache line, as pahole takes them. */
export const CACHE_LINE = 64;
const MAX_DEPTH = 64;
/** Members of one type, anonymous ones opened. */
const MAX_MEMBERS = 10_000;

export interface MemberLayout {
  /** Empty for an anonymous member. */
  name: string;
  /** The type alone; `struct {…}` for one that `members` spells out. */
  type: string;
  /** Type and name as C declares them. */
  declaration: string;
  /** Bytes from the beginning of the outermost struct; of a bitfield, those of the unit that it is a part of. */
  offset: number;
  /** Bytes; of a bitfield, those of its unit. */
  size: number;
  /** Bits from `offset`, and width; only of bitfields. */
  bitOffset?: number;
  bitSize?: number;
  /** Unused bytes and bits between this member and the next. */
  hole: number;
  bitHole: number;
  /** Members of an anonymous struct or union, with offsets from the outermost struct. */
  members?: MemberLayout[];
}

export interface StructLayout {
  kind: 'struct' | 'union';
  name: string;
  /** Bytes. */
  size: number;
  cacheLines: number;
  members: MemberLayout[];
  /** Bytes that the members themselves take, and bits of the bitfields. */
  sumMembers: number;
  sumBits: number;
  holes: number;
  sumHoles: number;
  bitHoles: number;
  sumBitHoles: number;
  /** Unused bytes and bits behind the last member. */
  padding: number;
  bitPadding: number;
}

interface Element {
  id: number;
  /** `[2][3]` of the arrays around it. */
  bounds: string;
}

/** What an array is made of, through the modifiers on the way. */
const elementOf = (btf: Btf, id: number): Element => {
  let bounds = '';
  for (let i = 0; i < MAX_DEPTH; i++) {
    id = btf.skipMods(id);
    if (btf.kind(id) !== BTF_KIND.ARRAY) break;
    bounds += `[${btf.arrayLength(id)}]`;
    id = btf.arrayElem(id);
  }
  return { id, bounds };
};

/** The anonymous struct or union that a member consists of, alone or as an array; undefined for any other type. */
export const anonymousElement = (btf: Btf, typeId: number): Element | undefined => {
  const element = elementOf(btf, typeId);
  return isComposite(btf.kind(element.id)) && btf.nameOffset(element.id) === 0 ? element : undefined;
};

const kindWord = (btf: Btf, id: number): 'struct' | 'union' => (btf.kind(id) === BTF_KIND.STRUCT ? 'struct' : 'union');

class LayoutReader {
  private readonly btf: Btf;
  private readonly texts: TypeTexts;
  private left = MAX_MEMBERS;

  constructor(btf: Btf) {
    this.btf = btf;
    this.texts = new TypeTexts(btf);
  }

  /** Members of a composite that begins `base` bytes into the outermost one. */
  members(id: number, base: number, depth = 0): MemberLayout[] {
    if (depth > MAX_DEPTH) throw new BtfError(`types are nested too deeply at id ${id}`);
    const { btf } = this;
    const out: MemberLayout[] = [];
    for (let i = 0; i < btf.vlen(id); i++) {
      if (--this.left < 0) throw new BtfError(`type id ${id} has too many members`);
      out.push(this.member(id, i, base, depth));
    }
    if (btf.kind(id) === BTF_KIND.STRUCT) this.findHoles(out);
    return out;
  }

  private member(id: number, i: number, base: number, depth: number): MemberLayout {
    const { btf, texts } = this;
    const name = btf.memberName(id, i);
    const type = btf.memberType(id, i);
    const bits = btf.memberBitOffset(id, i);
    const width = btf.memberBitSize(id, i);
    const size = Math.max(0, btf.resolveSize(type));
    const anonymous = anonymousElement(btf, type);
    if (width === 0) {
      const offset = base + Math.floor(bits / 8);
      const common = { name, offset, size, hole: 0, bitHole: 0 };
      if (!anonymous) return { ...common, type: texts.of(type), declaration: texts.declare(type, name) };
      const word = kindWord(btf, anonymous.id);
      return {
        ...common,
        type: `${word} {…}${anonymous.bounds}`,
        declaration: `${word} ${name}${anonymous.bounds}`.trim(),
        members: this.members(anonymous.id, offset, depth + 1),
      };
    }
    // The unit of a bitfield that crosses it begins at the bitfield's first byte.
    let unit = Math.floor(bits / 8 / Math.max(1, size)) * Math.max(1, size);
    if (bits + width > (unit + size) * 8) unit = Math.floor(bits / 8);
    return {
      name,
      type: texts.of(type),
      declaration: `${texts.declare(type, name)}:${width}`,
      offset: base + unit,
      size,
      bitOffset: bits - unit * 8,
      bitSize: width,
      hole: 0,
      bitHole: 0,
    };
  }

  private findHoles(members: MemberLayout[]): void {
    for (let i = 0; i + 1 < members.length; i++) {
      const gap = gapBetween(members[i], startBit(members[i + 1]));
      members[i].hole = gap.bytes;
      members[i].bitHole = gap.bits;
    }
  }
}

const startBit = (member: MemberLayout): number => member.offset * 8 + (member.bitOffset ?? 0);

const endBit = (member: MemberLayout): number => startBit(member) + (member.bitSize ?? member.size * 8);

/** Unused room from the end of a member to a bit; a bitfield leaves bits of its unit first, then bytes. */
const gapBetween = (member: MemberLayout, next: number): { bytes: number; bits: number } => {
  const end = endBit(member);
  const gap = Math.max(0, next - end);
  const unitEnd = member.bitSize === undefined ? end : Math.max(end, (member.offset + member.size) * 8);
  const bits = Math.min(gap, unitEnd - end);
  return { bytes: Math.floor((gap - bits) / 8), bits: bits + ((gap - bits) % 8) };
};

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

/** Layout of a struct or union. Throws BtfError when it holds itself. */
export const structLayout = (btf: Btf, id: number): StructLayout => {
  const members = new LayoutReader(btf).members(id, 0);
  const size = btf.size(id);
  const kind = kindWord(btf, id);
  const last = kind === 'struct' ? members.at(-1) : undefined;
  const rest = last ? gapBetween(last, size * 8) : { bytes: 0, bits: 0 };
  return {
    kind,
    name: btf.name(id),
    size,
    cacheLines: Math.ceil(size / CACHE_LINE),
    members,
    sumMembers: sum(members.map((m) => (m.bitSize === undefined ? m.size : 0))),
    sumBits: sum(members.map((m) => m.bitSize ?? 0)),
    holes: members.filter((m) => m.hole > 0).length,
    sumHoles: sum(members.map((m) => m.hole)),
    bitHoles: members.filter((m) => m.bitHole > 0).length,
    sumBitHoles: sum(members.map((m) => m.bitHole)),
    padding: rest.bytes,
    bitPadding: rest.bits,
  };
};
