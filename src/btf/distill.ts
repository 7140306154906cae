// Split BTF made independent of the exact base it was built on: what it needs of the base, told by name and size.
import { Btf, BtfError } from './btf.ts';
import { BtfBuilder } from './encode.ts';
import { BTF_KIND, isComposite, isEnum } from './kinds.ts';
import { referencesOf } from './references.ts';

/** Kinds that a split BTF never refers to in its base. */
const UNEXPECTED: ReadonlySet<number> = new Set([
  BTF_KIND.UNKN,
  BTF_KIND.FUNC,
  BTF_KIND.VAR,
  BTF_KIND.DATASEC,
  BTF_KIND.DECL_TAG,
]);

export interface Distilled {
  /** Named types of the base, without members. */
  base: Btf;
  /** The types of the split BTF on top of it, then what the base had of other kinds. */
  split: Btf;
}

/** Marks the types of the base that are needed; a named struct needs nothing of what is in it. */
const markNeeded = (btf: Btf): Uint8Array => {
  const needed = new Uint8Array(btf.firstId);
  const queue: number[] = [];
  const follow = (from: number): void => {
    for (const id of referencesOf(btf, from)) {
      if (id === 0 || id >= btf.firstId || needed[id]) continue;
      const kind = btf.kind(id);
      if (UNEXPECTED.has(kind)) {
        throw new BtfError(
          `unexpected reference to base type[${id}] of kind [${kind}] when creating distilled base BTF.`,
          { warned: true },
        );
      }
      needed[id] = 1;
      if (!(isComposite(kind) && btf.nameOffset(id))) queue.push(id);
    }
  };
  for (let id = btf.firstId; id < btf.count; id++) {
    follow(id);
    for (let next = queue.pop(); next !== undefined; next = queue.pop()) follow(next);
  }
  return needed;
};

/** Whether a type of the base becomes one of the distilled base; otherwise it moves to the split BTF. */
const staysInBase = (btf: Btf, id: number): boolean => {
  const kind = btf.kind(id);
  if (kind === BTF_KIND.INT || kind === BTF_KIND.FLOAT || kind === BTF_KIND.FWD) return true;
  return (isComposite(kind) || isEnum(kind)) && btf.nameOffset(id) !== 0;
};

/**
 * Distills the base of a split BTF. Throws BtfError when there is no base, or when it is used in a way that cannot be
 * distilled. The bytes equal those of libbpf 1.8 (btf__distill_base) for little-endian data.
 */
export const distillBase = (btf: Btf): Distilled => {
  if (!btf.base) throw new BtfError('only split BTF has a base to distill');
  const needed = markNeeded(btf);
  const ids = new Int32Array(btf.firstId);
  const builder = new BtfBuilder();
  for (let id = 1; id < btf.firstId; id++) {
    if (!needed[id] || !staysInBase(btf, id)) continue;
    const kind = btf.kind(id);
    if (isComposite(kind)) ids[id] = builder.addComposite(kind, btf.name(id), btf.size(id), []);
    else if (isEnum(kind)) ids[id] = builder.addEnum(btf.name(id), btf.size(id), []);
    else ids[id] = builder.copy(btf, id, () => 0);
  }
  const base = Btf.parse(builder.bytes());
  const shift = btf.firstId - base.count;
  let next = btf.count - shift;
  for (let id = 1; id < btf.firstId; id++) if (needed[id] && !staysInBase(btf, id)) ids[id] = next++;
  const mapped = (id: number): number => (id < btf.firstId ? ids[id] : id - shift);
  const upper = new BtfBuilder(base);
  for (let id = btf.firstId; id < btf.count; id++) upper.copy(btf, id, mapped);
  for (let id = 1; id < btf.firstId; id++) {
    if (needed[id] && !staysInBase(btf, id)) upper.copy(btf, id, mapped);
  }
  return { base, split: Btf.parse(upper.bytes(), base) };
};
