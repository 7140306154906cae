// When a type of the object and one of the kernel are taken for the same: the three relations of CO-RE.
import type { Btf } from '../../btf/btf.ts';
import { BTF_KIND, INT_ENCODING, isComposite, isEnum } from '../../btf/kinds.ts';
import { kindWord } from '../btf-words.ts';
import { essentialName } from '../essential-name.ts';
import type { Messages } from '../print.ts';

const EINVAL = -22;
const E2BIG = -7;
/** Types followed by one comparison, and depth of function arguments and members. Rule: libbpf 1.8. */
const MAX_DEPTH = 32;
/** Comparisons of one relocation; far more than any real type needs. */
const MAX_STEPS = 1_000_000;

/** One comparison of two types; counts its steps, so that malicious types cannot keep it busy. */
export class TypeComparison {
  private readonly local: Btf;
  private readonly target: Btf;
  private readonly messages: Messages;
  private steps = 0;

  constructor(local: Btf, target: Btf, messages: Messages) {
    this.local = local;
    this.target = target;
    this.messages = messages;
  }

  private tooMany(): boolean {
    return ++this.steps > MAX_STEPS;
  }

  private kindsAgree(localId: number, targetId: number): boolean {
    const a = this.local.kind(localId);
    const b = this.target.kind(targetId);
    return a === b || (isEnum(a) && isEnum(b));
  }

  private unexpected(localId: number, targetId: number): number {
    const word = kindWord(this.local, localId);
    this.messages.warn(`unexpected kind ${word} relocated, local [${localId}], target [${targetId}]`);
    return 0;
  }

  /**
   * Whether types exist compatibly (TYPE_EXISTS, TYPE_SIZE, typed externs): kinds agree all the way through pointers,
   * arrays and function prototypes; names and members do not matter. Gives 1, 0 or a negative errno.
   */
  compatible(localId: number, targetId: number, level = MAX_DEPTH): number {
    const { local, target } = this;
    if (!this.kindsAgree(localId, targetId)) return 0;
    for (let depth = 0; depth < MAX_DEPTH; depth++) {
      if (this.tooMany()) return E2BIG;
      localId = local.skipModsAndTypedefs(localId);
      targetId = target.skipModsAndTypedefs(targetId);
      if (!this.kindsAgree(localId, targetId)) return 0;
      switch (local.kind(localId)) {
        case BTF_KIND.UNKN:
        case BTF_KIND.STRUCT:
        case BTF_KIND.UNION:
        case BTF_KIND.ENUM:
        case BTF_KIND.ENUM64:
        case BTF_KIND.FWD:
          return 1;
        case BTF_KIND.INT:
          return local.intOffset(localId) === 0 && target.intOffset(targetId) === 0 ? 1 : 0;
        case BTF_KIND.PTR:
          localId = local.type(localId);
          targetId = target.type(targetId);
          break;
        case BTF_KIND.ARRAY:
          localId = local.arrayElem(localId);
          targetId = target.arrayElem(targetId);
          break;
        case BTF_KIND.FUNC_PROTO: {
          const count = local.vlen(localId);
          if (count !== target.vlen(targetId)) return 0;
          for (let i = 0; i < count; i++) {
            if (level <= 0) return EINVAL;
            const a = local.skipModsAndTypedefs(local.paramType(localId, i));
            const b = target.skipModsAndTypedefs(target.paramType(targetId, i));
            const result = this.compatible(a, b, level - 1);
            if (result <= 0) return result;
          }
          localId = local.skipModsAndTypedefs(local.type(localId));
          targetId = target.skipModsAndTypedefs(target.type(targetId));
          break;
        }
        default:
          return this.unexpected(localId, targetId);
      }
    }
    return EINVAL;
  }

  /** Whether a member of one type may be read as the member of the other: 1, 0 or a negative errno. */
  fieldsCompatible(localId: number, targetId: number): number {
    const { local, target } = this;
    for (;;) {
      if (this.tooMany()) return E2BIG;
      localId = local.skipModsAndTypedefs(localId);
      targetId = target.skipModsAndTypedefs(targetId);
      if (isComposite(local.kind(localId)) && isComposite(target.kind(targetId))) return 1;
      if (!this.kindsAgree(localId, targetId)) return 0;
      switch (local.kind(localId)) {
        case BTF_KIND.PTR:
        case BTF_KIND.FLOAT:
          return 1;
        case BTF_KIND.FWD:
        case BTF_KIND.ENUM:
        case BTF_KIND.ENUM64: {
          const a = essentialName(local.name(localId));
          const b = essentialName(target.name(targetId));
          return a === '' || b === '' || a === b ? 1 : 0;
        }
        case BTF_KIND.INT:
          return local.intOffset(localId) === 0 && target.intOffset(targetId) === 0 ? 1 : 0;
        case BTF_KIND.ARRAY:
          localId = local.arrayElem(localId);
          targetId = target.arrayElem(targetId);
          break;
        default:
          return 0;
      }
    }
  }

  private namesMatch(localName: string, targetName: string): boolean {
    if (targetName === '') return localName === '';
    return essentialName(localName) === essentialName(targetName);
  }

  private enumsMatch(localId: number, targetId: number): number {
    const { local, target } = this;
    if (local.size(localId) !== target.size(targetId)) return 0;
    if (local.vlen(localId) > target.vlen(targetId)) return 0;
    const names = new Set<string>();
    for (let i = 0; i < target.vlen(targetId); i++) names.add(essentialName(target.enumName(targetId, i)));
    for (let i = 0; i < local.vlen(localId); i++) {
      if (!names.has(essentialName(local.enumName(localId, i)))) return 0;
    }
    return 1;
  }

  private compositesMatch(localId: number, targetId: number, behindPointer: boolean, level: number): number {
    const { local, target } = this;
    if (local.vlen(localId) > target.vlen(targetId)) return 0;
    for (let i = 0; i < local.vlen(localId); i++) {
      const name = local.memberName(localId, i);
      let matched = false;
      for (let j = 0; j < target.vlen(targetId) && !matched; j++) {
        if (this.tooMany()) return E2BIG;
        if (!this.namesMatch(name, target.memberName(targetId, j))) continue;
        const result = this.matches(
          local.memberType(localId, i),
          target.memberType(targetId, j),
          behindPointer,
          level - 1,
        );
        if (result < 0) return result;
        matched = result > 0;
      }
      if (!matched) return 0;
    }
    return 1;
  }

  /**
   * Whether types match in full (TYPE_MATCHES): names, members and enumerators of the object's type are all in the
   * kernel's; behind a pointer, names and kinds suffice. Gives 1, 0 or a negative errno.
   */
  matches(localId: number, targetId: number, behindPointer = false, level = MAX_DEPTH): number {
    const { local, target } = this;
    if (level <= 0) return EINVAL;
    for (let depth = 0; depth < MAX_DEPTH; depth++) {
      if (this.tooMany()) return E2BIG;
      localId = local.skipModsAndTypedefs(localId);
      targetId = target.skipModsAndTypedefs(targetId);
      if (!this.namesMatch(local.name(localId), target.name(targetId))) return 0;
      const a = local.kind(localId);
      const b = target.kind(targetId);
      switch (a) {
        case BTF_KIND.UNKN:
          return a === b ? 1 : 0;
        case BTF_KIND.FWD: {
          const union = local.kflag(localId);
          if (a === b) return union === target.kflag(targetId) ? 1 : 0;
          return behindPointer && b === (union ? BTF_KIND.UNION : BTF_KIND.STRUCT) ? 1 : 0;
        }
        case BTF_KIND.ENUM:
        case BTF_KIND.ENUM64:
          return isEnum(b) ? this.enumsMatch(localId, targetId) : 0;
        case BTF_KIND.STRUCT:
        case BTF_KIND.UNION:
          if (!behindPointer) return a === b ? this.compositesMatch(localId, targetId, behindPointer, level) : 0;
          if (a === b) return 1;
          return b === BTF_KIND.FWD && (a === BTF_KIND.UNION) === target.kflag(targetId) ? 1 : 0;
        case BTF_KIND.INT: {
          if (a !== b) return 0;
          const signed = (btf: Btf, id: number): number => btf.intEncoding(id) & INT_ENCODING.SIGNED;
          const same = signed(local, localId) === signed(target, targetId);
          return same && local.size(localId) === target.size(targetId) ? 1 : 0;
        }
        case BTF_KIND.PTR:
          if (a !== b) return 0;
          behindPointer = true;
          localId = local.type(localId);
          targetId = target.type(targetId);
          break;
        case BTF_KIND.ARRAY:
          if (a !== b || local.arrayLength(localId) !== target.arrayLength(targetId)) return 0;
          localId = local.arrayElem(localId);
          targetId = target.arrayElem(targetId);
          break;
        case BTF_KIND.FUNC_PROTO:
          if (a !== b || local.vlen(localId) !== target.vlen(targetId)) return 0;
          for (let i = 0; i < local.vlen(localId); i++) {
            const result = this.matches(
              local.paramType(localId, i),
              target.paramType(targetId, i),
              behindPointer,
              level - 1,
            );
            if (result <= 0) return result;
          }
          localId = local.type(localId);
          targetId = target.type(targetId);
          break;
        default:
          return this.unexpected(localId, targetId);
      }
    }
    return EINVAL;
  }
}
