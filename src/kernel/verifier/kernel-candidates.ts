// Types of the kernel that a program's type may stand for: same kind, same name up to "___flavour".
// Rule: bpf_core_find_cands, btf.c, 6.18.
import type { Btf } from '../../btf/btf.ts';

/** Length of the name without a flavour: from the last "___" that has something before and behind it. */
export function essentialNameLength(name: string): number {
  for (let i = name.length - 5; i >= 0; i--) {
    if (name.startsWith('___', i + 1) && name[i] !== '_' && name[i + 4] !== '_') return i + 1;
  }
  return name.length;
}

/** Ids in `kernel` of what the type `id` of `btf` may stand for; undefined where it has no name. */
export function kernelCandidates(kernel: Btf, btf: Btf, id: number): number[] | undefined {
  const name = btf.name(id);
  if (name === '') return undefined;
  const kind = btf.kind(id);
  const essential = name.slice(0, essentialNameLength(name));
  const found: number[] = [];
  for (let i = 1; i < kernel.count; i++) {
    if (kernel.kind(i) !== kind) continue;
    const other = kernel.name(i);
    if (other.startsWith(essential) && essentialNameLength(other) === essential.length) found.push(i);
  }
  return found;
}
