// Names that are unique in the C output: a second `x` of the same name space becomes `x___2`.
import type { Btf } from '../btf.ts';
import { BTF_KIND } from '../kinds.ts';

/** Bytes of the longest name that gets a number. */
const MAX_NUMBERED = 255;

/** C keeps struct, union and enum tags apart from identifiers (typedefs and enumerators); numbers are per space. */
export class CNames {
  private readonly btf: Btf;
  private readonly tags = new Map<string, number>();
  private readonly identifiers = new Map<string, number>();
  private readonly resolved: (string | undefined)[] = [];

  constructor(btf: Btf) {
    this.btf = btf;
  }

  /** Name of a struct, union, enum, int or forward declaration. */
  tag(id: number): string {
    return this.resolve(id, this.tags);
  }

  typedef(id: number): string {
    return this.resolve(id, this.identifiers);
  }

  /** Each call counts: the same enumerator printed twice gets two names. */
  enumerator(name: string): string {
    const count = this.count(name, this.identifiers);
    return count > 1 ? `${name}___${count}` : name;
  }

  private count(name: string, space: Map<string, number>): number {
    const count = (space.get(name) ?? 0) + 1;
    space.set(name, count);
    return count;
  }

  private resolve(id: number, space: Map<string, number>): string {
    const known = this.resolved[id];
    if (known !== undefined) return known;
    const name = this.btf.name(id);
    const kind = this.btf.kind(id);
    // Forward declarations share the name of what they announce.
    const forward = kind === BTF_KIND.FWD || (kind === BTF_KIND.ENUM && this.btf.vlen(id) === 0);
    const count = name && !forward ? this.count(name, space) : 1;
    const unique = count > 1 ? `${name}___${count}`.slice(0, MAX_NUMBERED) : name;
    this.resolved[id] = unique;
    return unique;
  }
}
