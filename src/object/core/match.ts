// Finding the path of an object's type in a candidate type of the kernel.
import type { Btf } from '../../btf/btf.ts';
import { BTF_KIND, isComposite, isEnum } from '../../btf/kinds.ts';
import { essentialName } from '../essential-name.ts';
import type { Messages } from '../print.ts';
import { TypeComparison } from './compat.ts';
import { CORE, isEnumRelo, isFieldRelo, isTypeRelo } from './kinds.ts';
import { type Accessor, addBits, type CoreSpec, elementBits, emptySpec, isFlexibleArray, MAX_PATH } from './spec.ts';

const EINVAL = -22;
const E2BIG = -7;
/** Members looked at for one path; far more than any real type needs. */
const MAX_STEPS = 1_000_000;

/** `result` is 1 for a match, 0 for none, or a negative errno; `spec` is the path as far as it was found. */
export interface MatchResult {
  result: number;
  spec: CoreSpec;
}

/** Rule: libbpf 1.8. */
export function matchSpec(local: CoreSpec, target: Btf, targetId: number, messages: Messages): MatchResult {
  const spec = emptySpec(target, targetId, local.kind);
  const comparison = new TypeComparison(local.btf, target, messages);
  let result: number;
  if (isTypeRelo(local.kind)) {
    result =
      local.kind === CORE.TYPE_MATCHES
        ? comparison.matches(local.rootTypeId, targetId)
        : comparison.compatible(local.rootTypeId, targetId);
  } else if (isEnumRelo(local.kind)) {
    result = matchEnum(local, spec, targetId);
  } else if (isFieldRelo(local.kind)) {
    result = new FieldSearch(local, spec, comparison).run(targetId);
  } else {
    result = EINVAL;
  }
  return { result, spec };
}

function matchEnum(local: CoreSpec, spec: CoreSpec, targetId: number): number {
  const { btf } = spec;
  const id = btf.skipModsAndTypedefs(targetId);
  if (!isEnum(btf.kind(id))) return 0;
  const wanted = essentialName(local.accessors[0].name ?? '');
  for (let i = 0; i < btf.vlen(id); i++) {
    const name = btf.enumName(id, i);
    if (essentialName(name) !== wanted) continue;
    spec.accessors.push({ typeId: id, index: i, name });
    spec.raw.push(i);
    return 1;
  }
  return 0;
}

class FieldSearch {
  private readonly local: CoreSpec;
  private readonly spec: CoreSpec;
  private readonly comparison: TypeComparison;
  /** Type reached so far. */
  private id = 0;
  private steps = 0;

  constructor(local: CoreSpec, spec: CoreSpec, comparison: TypeComparison) {
    this.local = local;
    this.spec = spec;
    this.comparison = comparison;
  }

  run(targetId: number): number {
    const { btf } = this.spec;
    this.id = targetId;
    for (let i = 0; i < this.local.accessors.length; i++) {
      const accessor = this.local.accessors[i];
      this.id = btf.skipModsAndTypedefs(this.id);
      const result = accessor.name !== undefined ? this.member(accessor, this.id) : this.element(accessor, i > 0);
      if (result <= 0) return result;
    }
    return 1;
  }

  /** Element `index` of the array reached, or of the root taken as one. */
  private element(accessor: Accessor, inArray: boolean): number {
    const { btf, accessors, raw } = this.spec;
    if (inArray) {
      if (btf.kind(this.id) !== BTF_KIND.ARRAY) return 0;
      const flexible = isFlexibleArray(btf, accessors.at(-1), this.id);
      if (!flexible && accessor.index >= btf.arrayLength(this.id)) return 0;
      this.id = btf.skipModsAndTypedefs(btf.arrayElem(this.id));
    }
    if (raw.length === MAX_PATH) return E2BIG;
    accessors.push({ typeId: this.id, index: accessor.index, name: undefined });
    raw.push(accessor.index);
    const size = btf.resolveSize(this.id);
    if (size < 0) return EINVAL;
    this.spec.bitOffset = addBits(this.spec.bitOffset, elementBits(accessor.index, size));
    return 1;
  }

  /** The member of that name, looked for in anonymous members too. */
  private member(accessor: Accessor, typeId: number): number {
    const { spec, local } = this;
    const { btf } = spec;
    const id = btf.skipModsAndTypedefs(typeId);
    if (!isComposite(btf.kind(id))) return 0;
    for (let i = 0; i < btf.vlen(id); i++) {
      if (spec.raw.length === MAX_PATH || ++this.steps > MAX_STEPS) return E2BIG;
      const offset = btf.memberBitOffset(id, i);
      spec.bitOffset = addBits(spec.bitOffset, offset);
      spec.raw.push(i);
      const name = btf.memberName(id, i);
      if (name === '') {
        const found = this.member(accessor, btf.memberType(id, i));
        if (found !== 0) return found;
      } else if (name === accessor.name) {
        this.id = btf.memberType(id, i);
        const localType = local.btf.memberType(accessor.typeId, accessor.index);
        const result = this.comparison.fieldsCompatible(localType, this.id);
        if (result !== 0) spec.accessors.push({ typeId: id, index: i, name });
        return result;
      }
      spec.bitOffset = addBits(spec.bitOffset, -offset);
      spec.raw.pop();
    }
    return 0;
  }
}
