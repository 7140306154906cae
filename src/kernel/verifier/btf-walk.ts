// Walks through kernel structures by offset. Rule: btf_struct_walk and its callers, btf.c, 6.18.
import { BTF_KIND, type Btf } from '../../btf/btf.ts';
import { ERRNO } from '../../errno.ts';
import type { VerifierLog } from './log.ts';
import { fieldLabel, findStructMeta } from './special-fields.ts';
import { FLAG, REG, type RegState } from './types.ts';

/** Name of a type in messages. */
const shown = (btf: Btf, id: number): string => btf.name(id) || '(anon)';

/** Where a walk arrives. */
const AT = { SCALAR: 0, POINTER: 1, UNTRUSTED: 2, STRUCT: 3 } as const;

const MAX_DEPTH = 32;
const POINTER_BYTES = 8;

/** What a step finds out; reused, so read it before the next one. */
export class WalkResult {
  /** Type id of the struct that a pointer leads to or that begins here. */
  nextId = 0;
  /** FLAG bits that a pointer gets. */
  flags = 0;
  /** Name of the pointer member. */
  fieldName = '';
}

const isComposite = (kind: number): boolean => kind === BTF_KIND.STRUCT || kind === BTF_KIND.UNION;
const isModifier = (kind: number): boolean =>
  kind === BTF_KIND.TYPEDEF ||
  kind === BTF_KIND.VOLATILE ||
  kind === BTF_KIND.CONST ||
  kind === BTF_KIND.RESTRICT ||
  kind === BTF_KIND.TYPE_TAG;

interface Member {
  /** The array, or the type itself, with modifiers resolved. */
  type: number;
  /** Bytes of all elements. */
  size: number;
  /** Resolved element type, and the id that the innermost array names (0 without an array). */
  element: number;
  elementId: number;
  count: number;
  /** Id that the last modifier names; the member's own id without one. */
  id: number;
}

/** Resolves a member's type; undefined if it has no size (__btf_resolve_size). */
function resolveMember(btf: Btf, typeId: number): Member | undefined {
  let type = typeId;
  let array = 0;
  let elementId = 0;
  let count = 1;
  let id = 0;
  for (let i = 0; i < MAX_DEPTH; i++) {
    const kind = btf.kind(type);
    if (isModifier(kind)) {
      type = btf.type(type);
      id = type;
    } else if (kind === BTF_KIND.ARRAY) {
      if (array === 0) array = type;
      elementId = btf.arrayElem(type);
      count *= btf.arrayLength(type);
      type = elementId;
    } else {
      let size: number;
      if (kind === BTF_KIND.PTR) size = POINTER_BYTES;
      else if (isComposite(kind) || SIZED.has(kind)) size = btf.size(type);
      else return undefined;
      if (count * size > 0xffffffff) return undefined;
      return { type: array || type, size: count * size, element: type, elementId, count, id: id || typeId };
    }
  }
  return undefined;
}

const SIZED: ReadonlySet<number> = new Set([BTF_KIND.INT, BTF_KIND.ENUM, BTF_KIND.FLOAT, BTF_KIND.ENUM64]);

/** Flag that a pointer's type tag gives it. */
const TAG_FLAGS: Readonly<Record<string, number>> = { user: FLAG.USER, percpu: FLAG.PERCPU, rcu: FLAG.RCU };

/** FLAG bits of what a PTR type points to. */
export function pointerTagFlags(btf: Btf, pointee: number): number {
  if (btf.kind(pointee) !== BTF_KIND.TYPE_TAG || btf.kflag(pointee)) return 0;
  const tag = btf.name(pointee);
  return Object.hasOwn(TAG_FLAGS, tag) ? TAG_FLAGS[tag] : 0;
}

/** The flexible array at the end of a struct, as far as an access beyond the struct may go into it. */
function intoFlexibleArray(btf: Btf, struct: number, off: number): { element: number; off: number } | undefined {
  const vlen = btf.vlen(struct);
  if (vlen === 0) return undefined;
  const array = btf.skipModsAndTypedefs(btf.memberType(struct, vlen - 1));
  if (btf.kind(array) !== BTF_KIND.ARRAY || btf.arrayLength(array) !== 0) return undefined;
  const begin = btf.memberBitOffset(struct, vlen - 1) >> 3;
  if (off < begin) return undefined;
  const element = btf.skipModsAndTypedefs(btf.arrayElem(array));
  if (btf.kind(element) === BTF_KIND.INT) return { element, off: 0 };
  if (!isComposite(btf.kind(element)) || btf.size(element) === 0) return undefined;
  return { element, off: (off - begin) % btf.size(element) };
}

/** One walk: [off, off + size) of a struct, down to a scalar, a pointer or a struct that begins there. */
class Walk {
  private readonly log: VerifierLog;
  private readonly btf: Btf;
  private readonly result: WalkResult;
  private struct = 0;
  private off = 0;
  private readonly size: number;

  constructor(log: VerifierLog, btf: Btf, size: number, result: WalkResult) {
    this.log = log;
    this.btf = btf;
    this.size = size;
    this.result = result;
  }

  /** AT value, or a negative errno with a message. */
  run(id: number, off: number): number {
    this.struct = id;
    this.off = off;
    for (;;) {
      const at = this.step();
      if (at !== undefined) return at;
    }
  }

  /** Looks into one struct; undefined: go on in the one that it contains. */
  private step(): number | undefined {
    const { btf, result } = this;
    const struct = btf.skipModsAndTypedefs(this.struct);
    const kind = btf.kind(struct);
    this.struct = struct;
    if (!isComposite(kind)) {
      this.log.write(`Type '${shown(btf, struct)}' is not a struct\n`);
      return -ERRNO.EINVAL;
    }
    // Which member of a union is meant cannot be known.
    if (kind === BTF_KIND.UNION && btf.vlen(struct) !== 1) result.flags |= FLAG.UNTRUSTED;
    if (this.off + this.size > btf.size(struct)) {
      const inside = intoFlexibleArray(btf, struct, this.off);
      if (inside === undefined) {
        this.log.write(`access beyond struct ${shown(btf, struct)} at off ${this.off} size ${this.size}\n`);
        return -ERRNO.EACCES;
      }
      if (btf.kind(inside.element) === BTF_KIND.INT) return AT.SCALAR;
      this.struct = inside.element;
      this.off = inside.off;
      return undefined;
    }
    return this.members(struct);
  }

  private members(struct: number): number | undefined {
    const { btf, off, size } = this;
    const vlen = btf.vlen(struct);
    for (let i = 0; i < vlen; i++) {
      const bit = btf.memberBitOffset(struct, i);
      const begin = bit >> 3;
      if (off + size <= begin) break;
      const bits = btf.memberBitSize(struct, i);
      if (bits !== 0) {
        if (off <= begin && Math.ceil((bit + bits) / 8) <= off + size) return AT.SCALAR;
        continue;
      }
      if (off < begin) break;
      const member = resolveMember(btf, btf.memberType(struct, i));
      if (member === undefined) {
        this.log.write(`field ${btf.memberName(struct, i)} doesn't have size\n`);
        return -ERRNO.EFAULT;
      }
      if (off >= begin + member.size) continue;
      if (btf.kind(member.type) === BTF_KIND.ARRAY && member.size === 0) continue;
      return this.enter(struct, i, begin, member);
    }
    this.log.write(`struct ${shown(btf, struct)} doesn't have field at offset ${off}\n`);
    return -ERRNO.EINVAL;
  }

  /** The access begins in this member. */
  private enter(struct: number, i: number, begin: number, member: Member): number | undefined {
    const { btf, size, result } = this;
    const end = begin + member.size;
    let at = begin;
    let bytes = member.size;
    let type = member.type;
    let { id } = member;
    if (btf.kind(type) === BTF_KIND.ARRAY) {
      bytes /= member.count;
      at += Math.floor((this.off - begin) / bytes) * bytes;
      type = member.element;
      id = member.elementId;
    }
    const kind = btf.kind(type);
    if (isComposite(kind)) {
      this.struct = type;
      if (this.off === at) {
        result.nextId = id;
        return AT.STRUCT;
      }
      this.off -= at;
      return undefined;
    }
    const name = btf.memberName(struct, i);
    if (kind === BTF_KIND.PTR) {
      if (bytes !== size || this.off !== at) {
        this.log.write(
          `cannot access ptr member ${name} with moff ${at} in struct ${shown(btf, struct)} with off ${this.off} size ${size}\n`,
        );
        return -ERRNO.EACCES;
      }
      const pointee = btf.type(type);
      const target = btf.skipModsAndTypedefs(pointee);
      if (!isComposite(btf.kind(target))) return AT.UNTRUSTED;
      result.nextId = target;
      result.flags |= pointerTagFlags(btf, pointee);
      result.fieldName = name;
      return AT.POINTER;
    }
    if (this.off + size > end && (result.flags & FLAG.UNTRUSTED) === 0) {
      this.log.write(
        `access beyond the end of member ${name} (mend:${end}) in struct ${shown(btf, struct)} with off ${this.off} size ${size}\n`,
      );
      return -ERRNO.EACCES;
    }
    return AT.SCALAR;
  }
}

/**
 * What an access behind a BTF pointer gives: the base type of a register (scalar, BTF pointer or memory), with
 * `result` filled for pointers, or a negative errno with a message (btf_struct_access).
 */
export function btfStructAccess(
  log: VerifierLog,
  kernel: Btf,
  reg: RegState,
  off: number,
  size: number,
  result: WalkResult,
): number {
  const btf = reg.btf as Btf;
  const allocated = (reg.type & FLAG.ALLOC) !== 0;
  if (allocated) {
    const record = findStructMeta(btf, reg.btfId, kernel);
    for (const field of record?.fields ?? []) {
      if (off < field.offset + field.size && field.offset < off + size) {
        log.write(`direct access to ${fieldLabel(field.kind)} is disallowed\n`);
        return -ERRNO.EACCES;
      }
    }
  }
  const walk = new Walk(log, btf, size, result);
  result.flags = 0;
  let id = reg.btfId;
  let at = off;
  for (;;) {
    const found = walk.run(id, at);
    switch (found) {
      case AT.POINTER:
        return allocated ? REG.SCALAR : REG.BTF_ID;
      case AT.UNTRUSTED:
        result.flags = FLAG.RDONLY | FLAG.UNTRUSTED;
        return REG.MEM;
      case AT.SCALAR:
        return REG.SCALAR;
      case AT.STRUCT:
        id = result.nextId;
        at = 0;
        break;
      default:
        return found;
    }
  }
}

/** The same type, be it written in one BTF or in the base of another. */
export const sameType = (a: Btf, aId: number, b: Btf, bId: number): boolean =>
  aId === bId && (a === b || (a.base === b && aId < b.count) || (b.base === a && bId < a.count));

/**
 * May a pointer into struct `id` at `off` stand for one to `need`? It may if that struct begins there, itself or as
 * its first member, unless `strict` (btf_struct_ids_match).
 */
export function btfStructsMatch(
  log: VerifierLog,
  btf: Btf,
  id: number,
  off: number,
  needBtf: Btf,
  need: number,
  strict: boolean,
): boolean {
  if (off === 0 && sameType(btf, id, needBtf, need)) return true;
  if (strict) return false;
  const result = new WalkResult();
  const walk = new Walk(log, btf, 1, result);
  let at = off;
  let current = id;
  for (;;) {
    if (current <= 0 || current >= btf.count) return false;
    if (walk.run(current, at) !== AT.STRUCT) return false;
    current = result.nextId;
    if (sameType(btf, current, needBtf, need)) return true;
    at = 0;
  }
}

/** Is `field` of the struct listed among those of its twin "STRUCT+suffix", and does it lead to `target`? */
export function isListedField(btf: Btf, struct: number, suffix: string, field: string, target: number): boolean {
  const listed = btf.find(`${btf.name(struct)}${suffix}`, btf.kind(struct));
  if (listed === 0) return false;
  for (let i = 0; i < btf.vlen(listed); i++) {
    const type = btf.memberType(listed, i);
    if (btf.kind(type) !== BTF_KIND.PTR) continue;
    if (btf.memberName(listed, i) === field && btf.skipModsAndTypedefs(btf.type(type)) === target) return true;
  }
  return false;
}
