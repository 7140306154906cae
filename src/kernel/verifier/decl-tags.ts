// Declaration tags of a program's BTF. Rule: btf.c, 6.18.
import { BTF_KIND, type Btf } from '../../btf/btf.ts';
import { ERRNO } from '../../errno.ts';

/** The next tag after id `after` on `target` (component -1: the type itself) that begins with `key`; 0 without one. */
export function nextDeclTag(btf: Btf, target: number, component: number, key: string, after: number): number {
  for (let id = after + 1; id < btf.count; id++) {
    if (btf.kind(id) !== BTF_KIND.DECL_TAG || btf.type(id) !== target || btf.tagComponent(id) !== component) continue;
    if (btf.name(id).startsWith(key)) return id;
  }
  return 0;
}

/** What follows `key` in the only such tag; -ENOENT without one, -EEXIST with several. */
export function findDeclTag(btf: Btf, target: number, component: number, key: string): string | number {
  const id = nextDeclTag(btf, target, component, key, 0);
  if (id === 0) return -ERRNO.ENOENT;
  if (nextDeclTag(btf, target, component, key, id) !== 0) return -ERRNO.EEXIST;
  return btf.name(id).slice(key.length);
}
