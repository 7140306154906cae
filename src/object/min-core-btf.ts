// The part of a kernel's BTF that the CO-RE relocations of some objects need: types that a relocation names, and of
// structs only the members on its path. Rule: bpftool 7.8, gen min_core_btf.
import { type Btf, BtfError } from '../btf/btf.ts';
import { BtfBuilder, type NewMember } from '../btf/encode.ts';
import { BTF_KIND, isComposite } from '../btf/kinds.ts';
import { type BtfExt, coreRelo } from './btf-ext.ts';
import { kindWord } from './btf-words.ts';
import { addCandidates, type Candidate } from './core/candidates.ts';
import { CORE, isFieldRelo } from './core/kinds.ts';
import { resolveRelo } from './core/resolve.ts';
import type { CoreSpec } from './core/spec.ts';
import { ObjectError } from './errors.ts';
import type { Messages } from './print.ts';

/** How a type was reached; one that was reached again in the same way need not be followed again. */
const REACHED = {
  /** By its own name or as the type of a member: pointers end there. */
  PLAIN: 1,
  /** Pointers are followed, members are not. */
  THROUGH_POINTERS: 2,
  /** With all of its members. */
  WHOLE: 4,
  /** As WHOLE, but a struct behind a pointer counts without its members. */
  BEHIND_POINTER: 8,
} as const;

type Reached = (typeof REACHED)[keyof typeof REACHED];

const MAX_BITFIELD_OFFSET = 0xffffff;

/** Kinds whose referred type is needed as the type itself is. */
const FOLLOWED: ReadonlySet<number> = new Set([BTF_KIND.CONST, BTF_KIND.VOLATILE, BTF_KIND.RESTRICT, BTF_KIND.TYPEDEF]);

/** Kinds that need nothing else. */
const LEAVES: ReadonlySet<number> = new Set([
  BTF_KIND.UNKN,
  BTF_KIND.INT,
  BTF_KIND.FLOAT,
  BTF_KIND.ENUM,
  BTF_KIND.ENUM64,
]);

/** Collects what relocations need of one kernel's BTF, object by object. */
export class BtfMinimizer {
  private readonly source: Btf;
  /** REACHED bits by type id; any bit keeps the type. */
  private readonly reached: Uint8Array;
  /** Numbers of the members to keep, by type id. */
  private readonly members = new Map<number, Set<number>>();
  /** Types that still have to be followed, and how they were reached. */
  private readonly queue: [id: number, how: Reached][] = [];

  constructor(source: Btf) {
    this.source = source;
    this.reached = new Uint8Array(source.count);
  }

  /**
   * Adds what the relocations of an object need; `local` is the object's BTF. Throws ObjectError where a relocation
   * makes no sense (the reason has gone to `messages`), BtfError where it needs a type that cannot be taken over.
   */
  addObject(local: Btf, ext: BtfExt, messages: Messages): void {
    const cache = new Map<number, Candidate[]>();
    for (const group of ext.coreRelos.groups) {
      const section = local.str(group.nameOffset);
      for (let i = 0; i < group.count; i++) {
        const relo = coreRelo(ext.coreRelos, group, i);
        if (relo.typeId >= local.count) throw new ObjectError('EINVAL');
        let candidates = cache.get(relo.typeId) ?? [];
        if (relo.kind !== CORE.TYPE_ID_LOCAL && !cache.has(relo.typeId)) {
          addCandidates(candidates, local, relo.typeId, this.source, 'vmlinux', 1, messages);
          cache.set(relo.typeId, candidates);
        } else if (relo.kind === CORE.TYPE_ID_LOCAL) {
          candidates = [];
        }
        const result = resolveRelo(local, relo, i, candidates, section, messages);
        if (typeof result === 'number') throw new ObjectError(-result);
        if (result.target) this.addTarget(result.target);
      }
    }
  }

  private addTarget(target: CoreSpec): void {
    const { kind, rootTypeId } = target;
    if (isFieldRelo(kind)) this.addField(target);
    else if (kind === CORE.TYPE_MATCHES) this.reach(rootTypeId, REACHED.WHOLE);
    else if (kind === CORE.ENUMVAL_EXISTS || kind === CORE.ENUMVAL_VALUE) this.reach(rootTypeId, REACHED.PLAIN);
    else this.reach(rootTypeId, REACHED.THROUGH_POINTERS);
  }

  /** The members on the path, with their types. */
  private addField(target: CoreSpec): void {
    const { source } = this;
    let id = target.rootTypeId;
    this.reach(id, REACHED.PLAIN);
    for (const index of target.raw.slice(1)) {
      id = source.skipModsAndTypedefs(id);
      const kind = source.kind(id);
      if (isComposite(kind)) {
        this.keepMember(id, index);
        id = source.memberType(id, index);
        this.reach(id, REACHED.PLAIN);
      } else if (kind === BTF_KIND.ARRAY) {
        id = source.arrayElem(id);
      } else {
        throw this.unsupported(id);
      }
    }
  }

  private unsupported(id: number): BtfError {
    return new BtfError(`unsupported kind: ${kindWord(this.source, id)} (${id})`);
  }

  private keepMember(id: number, index: number): void {
    const kept = this.members.get(id);
    if (kept) kept.add(index);
    else this.members.set(id, new Set([index]));
  }

  /** Keeps a type and all that it needs. */
  private reach(id: number, how: Reached): void {
    this.enqueue(id, how);
    for (let next = this.queue.pop(); next; next = this.queue.pop()) this.follow(...next);
  }

  private enqueue(id: number, how: Reached): void {
    if (id === 0 || this.reached[id] & how) return;
    this.reached[id] |= how;
    this.queue.push([id, how]);
  }

  private follow(id: number, how: Reached): void {
    const { source } = this;
    const kind = source.kind(id);
    const whole = how === REACHED.WHOLE || how === REACHED.BEHIND_POINTER;
    // What stands in an array or a prototype is not behind the pointer any more.
    const inner = whole ? REACHED.WHOLE : how;
    if (LEAVES.has(kind)) return;
    if (FOLLOWED.has(kind)) {
      this.enqueue(source.type(id), how);
    } else if (kind === BTF_KIND.PTR) {
      if (whole) this.enqueue(source.type(id), REACHED.BEHIND_POINTER);
      else if (how === REACHED.THROUGH_POINTERS) this.enqueue(source.type(id), how);
    } else if (kind === BTF_KIND.ARRAY) {
      this.enqueue(source.arrayElem(id), inner);
      this.enqueue(source.arrayIndexType(id), inner);
    } else if (kind === BTF_KIND.FUNC_PROTO) {
      this.enqueue(source.type(id), inner);
      for (let i = 0; i < source.vlen(id); i++) this.enqueue(source.paramType(id, i), inner);
    } else if (isComposite(kind)) {
      if (how === REACHED.WHOLE) this.followMembers(id);
    } else if (!(whole && kind === BTF_KIND.FWD)) {
      throw this.unsupported(id);
    }
  }

  private followMembers(id: number): void {
    for (let i = 0; i < this.source.vlen(id); i++) {
      this.keepMember(id, i);
      this.enqueue(this.source.memberType(id, i), REACHED.WHOLE);
    }
  }

  /** BTF with the kept types in their order; references to types that were not kept become void. Throws BtfError. */
  bytes(): Uint8Array {
    const { source, reached } = this;
    const ids = new Uint32Array(source.count);
    let next = 1;
    for (let id = 1; id < source.count; id++) if (reached[id]) ids[id] = next++;
    const builder = new BtfBuilder();
    for (let id = 1; id < source.count; id++) {
      if (!reached[id]) continue;
      if (isComposite(source.kind(id))) this.copyComposite(builder, id, ids);
      else builder.copy(source, id, (old) => ids[old]);
    }
    return builder.bytes();
  }

  private copyComposite(builder: BtfBuilder, id: number, ids: Uint32Array): void {
    const { source } = this;
    const kind = source.kind(id);
    const members: NewMember[] = [];
    for (const i of [...(this.members.get(id) ?? [])].sort((a, b) => a - b)) {
      const bitOffset = source.memberBitOffset(id, i);
      const bitSize = source.memberBitSize(id, i);
      const bitfield = bitSize > 0 || bitOffset % 8 !== 0;
      // Bitfields of the old form, whose size is in their type, cannot be written any more.
      const lost = bitfield && (bitSize === 0 || bitOffset > MAX_BITFIELD_OFFSET);
      if (lost || (kind === BTF_KIND.UNION && bitOffset)) throw new ObjectError('EINVAL');
      members.push({ name: source.memberName(id, i), type: ids[source.memberType(id, i)], bitOffset, bitSize });
    }
    builder.addComposite(kind, source.name(id), source.size(id), members);
  }
}
