// Which types of a kernel an object was written against: those that its relocations find, and those that its own types
// are named after.
import type { Btf } from '../btf/btf.ts';
import { BTF_KIND, isComposite, isEnum, LINKAGE } from '../btf/kinds.ts';
import { type BtfExt, coreRelo } from './btf-ext.ts';
import { addCandidates, type Candidate } from './core/candidates.ts';
import { CORE } from './core/kinds.ts';
import { resolveRelo } from './core/resolve.ts';
import { essentialName } from './essential-name.ts';
import { Messages } from './print.ts';

/** Types that bpf_helpers.h takes for granted. */
const COMMON: readonly string[] = [
  ...['__u8', '__u16', '__u32', '__u64', '__s8', '__s16', '__s32', '__s64'],
  ...['__be16', '__be32', '__be64', '__le16', '__le32', '__le64', '__wsum', '__sum16'],
];

export interface NeededTypes {
  /** Ids in the kernel's BTF, lowest first. */
  roots: number[];
  /** Functions of the kernel that the object calls. */
  kfuncs: ReadonlySet<number>;
}

const isNamedAfterKernel = (kind: number): boolean =>
  isComposite(kind) || isEnum(kind) || kind === BTF_KIND.TYPEDEF || kind === BTF_KIND.FWD;

/** Adds the types that relocations lead to; those that lead nowhere do not count. */
const addTargets = (found: Set<number>, kernel: Btf, local: Btf, ext: BtfExt): void => {
  const silent = new Messages(undefined);
  const cache = new Map<number, Candidate[]>();
  for (const group of ext.coreRelos.groups) {
    for (let i = 0; i < group.count; i++) {
      const relo = coreRelo(ext.coreRelos, group, i);
      if (relo.kind === CORE.TYPE_ID_LOCAL || relo.typeId >= local.count) continue;
      let candidates = cache.get(relo.typeId);
      if (!candidates) {
        candidates = [];
        addCandidates(candidates, local, relo.typeId, kernel, 'vmlinux', 1, silent);
        cache.set(relo.typeId, candidates);
      }
      const result = resolveRelo(local, relo, i, candidates, '', silent);
      if (typeof result === 'number' || !result.target) continue;
      found.add(result.target.rootTypeId);
      for (const accessor of result.target.accessors)
        if (kernel.nameOffset(accessor.typeId)) found.add(accessor.typeId);
    }
  }
};

/** The kernel's first type of a name that C would take for the same; 0 when there is none. */
const sameInKernel = (kernel: Btf, name: string, kind: number): number =>
  kernel.findAll(name).find((id) => {
    const other = kernel.kind(id);
    if (kind === BTF_KIND.FWD) return isComposite(other);
    return other === kind || (isEnum(other) && isEnum(kind));
  }) ?? 0;

/** Throws BtfError when types of either side hold themselves. */
export const neededTypes = (kernel: Btf, local: Btf, ext: BtfExt | undefined): NeededTypes => {
  const found = new Set<number>();
  const kfuncs = new Set<number>();
  const add = (id: number): void => {
    if (id) found.add(id);
  };
  for (const name of COMMON) add(kernel.find(name, BTF_KIND.TYPEDEF));
  if (ext) addTargets(found, kernel, local, ext);
  for (let id = 1; id < local.count; id++) {
    const kind = local.kind(id);
    const name = local.name(id);
    if (name === '') continue;
    if (isNamedAfterKernel(kind)) add(sameInKernel(kernel, essentialName(name), kind));
    if (kind !== BTF_KIND.FUNC || local.linkage(id) !== LINKAGE.EXTERN) continue;
    const kfunc = kernel.find(essentialName(name), BTF_KIND.FUNC);
    if (kfunc) kfuncs.add(kfunc);
  }
  return { roots: [...found].sort((a, b) => a - b), kfuncs };
};
