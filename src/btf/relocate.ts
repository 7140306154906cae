// Split BTF that was made for a distilled base, put on top of the BTF of a whole kernel.

import { ERRNO } from '../errno.ts';
import { Btf, BtfError } from './btf.ts';
import { readSections } from './header.ts';
import { BTF_KIND, isComposite, isEnum, isModifier } from './kinds.ts';
import { eachStringWord, eachTypeWord, referencesOf } from './references.ts';

/** Kinds that a distilled base may have; all of them have names. */
const DISTILLED: ReadonlySet<number> = new Set([
  BTF_KIND.INT,
  BTF_KIND.FLOAT,
  BTF_KIND.ENUM,
  BTF_KIND.STRUCT,
  BTF_KIND.UNION,
  BTF_KIND.FWD,
]);

/** Kinds of the whole base that may stand for one of a distilled base. */
const TARGETS: ReadonlySet<number> = new Set([...DISTILLED, BTF_KIND.ENUM64]);

const fault = (message: string, errno: number = ERRNO.EINVAL): BtfError =>
  new BtfError(message, { errno, warned: true });

/** One relocation: what each id and each string of the distilled base is in the whole one. */
class Relocation {
  private readonly split: Btf;
  private readonly distilled: Btf;
  private readonly base: Btf;
  /** Ids of the whole base by those of the distilled one; 0 where none was found yet. */
  private readonly ids: Int32Array;
  /** Structs and unions of the distilled base that lie inside others, and so must have the same size. */
  private readonly embedded: Uint8Array;
  private readonly strings = new Map<number, number>();

  constructor(split: Btf, distilled: Btf, base: Btf) {
    this.split = split;
    this.distilled = distilled;
    this.base = base;
    this.ids = new Int32Array(distilled.count);
    this.embedded = new Uint8Array(distilled.count);
  }

  run(): Btf {
    this.checkDistilled();
    for (let id = this.split.firstId; id < this.split.count; id++) this.markEmbedded(id);
    this.mapIds();
    return this.rewrite();
  }

  private checkDistilled(): void {
    const { distilled } = this;
    for (let id = 1; id < distilled.count; id++) {
      const kind = distilled.kind(id);
      if (!DISTILLED.has(kind)) throw fault(`type [${id}] in distilled based BTF has unexpected kind [${kind}]`);
      if (distilled.nameOffset(id) === 0) {
        throw fault(`type [${id}], kind [${kind}] is invalid for distilled base BTF; it is anonymous`);
      }
    }
  }

  /** Notes the structs and unions of the base that a struct or union holds, not behind pointers. */
  private markEmbedded(id: number): void {
    const { split, distilled } = this;
    if (!isComposite(split.kind(id))) return;
    for (const member of referencesOf(split, id)) {
      let inner = member;
      for (let steps = 0; inner !== 0; steps++) {
        if (steps > split.count) throw fault(`type [${member}] refers to itself`);
        const kind = split.kind(inner);
        if (kind === BTF_KIND.TYPEDEF || isModifier(kind)) inner = split.type(inner);
        else if (kind === BTF_KIND.ARRAY) inner = split.arrayElem(inner);
        else {
          if (isComposite(kind) && inner < distilled.count) this.embedded[inner] = 1;
          break;
        }
      }
    }
  }

  /** Types of the distilled base by their names; larger ones first. */
  private distilledByName(): Map<string, number[]> {
    const { distilled } = this;
    const byName = new Map<string, number[]>([['', [0]]]);
    for (let id = 1; id < distilled.count; id++) {
      const name = distilled.name(id);
      const list = byName.get(name);
      if (list) list.push(id);
      else byName.set(name, [id]);
    }
    for (const list of byName.values()) list.sort((a, b) => distilled.size(b) - distilled.size(a));
    return byName;
  }

  private mapIds(): void {
    const { base, distilled, ids } = this;
    const byName = this.distilledByName();
    const candidates = [...byName.keys()].flatMap((name) => base.findAll(name));
    candidates.sort((a, b) => a - b);
    const composites = new Map<number, number>();
    for (const id of candidates) {
      const name = base.nameOffset(id);
      if (isComposite(base.kind(id)) && name) composites.set(name, (composites.get(name) ?? 0) + 1);
    }
    for (const id of candidates) {
      const kind = base.kind(id);
      const name = base.nameOffset(id);
      if (name === 0 || !TARGETS.has(kind)) continue;
      // A struct's size decides only where several have its name, that of others always.
      const bySize = kind !== BTF_KIND.FWD && (!isComposite(kind) || (composites.get(name) ?? 0) > 1);
      for (const found of byName.get(base.name(id)) ?? []) {
        if (bySize && distilled.size(found) !== base.size(id)) continue;
        if (found === 0) throw fault(`base BTF id [${id}] maps to invalid distilled base BTF id [0]`);
        if (this.fits(found, id)) this.take(found, id);
      }
    }
    const missing = ids.indexOf(0, 1);
    if (missing > 0) {
      throw fault(`distilled base BTF type '${distilled.name(missing)}' [${missing}] is not mapped to base BTF id`);
    }
  }

  private take(found: number, id: number): void {
    const { base, distilled, ids } = this;
    if (ids[found]) {
      throw fault(
        `distilled base BTF type '${base.name(id)}' [${found}], size ${base.size(id)} has multiple candidates of the ` +
          `same size (ids [${id}, ${ids[found]}]) in base BTF`,
      );
    }
    ids[found] = id;
    this.strings.set(distilled.nameOffset(found), base.nameOffset(id));
  }

  /** Whether a type of the whole base can be what the distilled one tells of it. */
  private fits(found: number, id: number): boolean {
    const { base, distilled } = this;
    const kind = base.kind(id);
    switch (distilled.kind(found)) {
      case BTF_KIND.FWD:
        if (kind === BTF_KIND.FWD) return distilled.kflag(found) === base.kflag(id);
        // The flag of a struct says that it has bitfields, not that it is a union; libbpf compares it all the same.
        return (kind === BTF_KIND.STRUCT && !base.kflag(id)) || (kind === BTF_KIND.UNION && base.kflag(id));
      case BTF_KIND.INT:
        return kind === BTF_KIND.INT && base.intEncoding(id) === distilled.intEncoding(found);
      case BTF_KIND.FLOAT:
        return kind === BTF_KIND.FLOAT;
      case BTF_KIND.ENUM:
        return isEnum(kind);
      default:
        return !this.embedded[found] || base.size(id) === distilled.size(found);
    }
  }

  /** The split data with ids and string offsets as they are on top of the whole base. */
  private rewrite(): Btf {
    const { split, distilled, base, ids, strings } = this;
    const sections = readSections(split.bytes, true);
    const out = split.bytes.slice();
    const view = new DataView(out.buffer);
    let at = sections.types.start;
    // All ids before any string, so that the first fault is libbpf's.
    const types: Int32Array[] = [];
    for (let id = split.firstId; id < split.count; id++) {
      const words = split.wordsOf(id).slice();
      eachTypeWord(words, split.layouts[split.kind(id)], (index) => {
        const old = words[index];
        words[index] = old < distilled.count ? ids[old] : old + base.count - distilled.count;
      });
      types.push(words);
    }
    for (const [i, words] of types.entries()) {
      eachStringWord(words, split.layouts[split.kind(split.firstId + i)], (index) => {
        const old = words[index];
        if (old === 0) return;
        if (old >= distilled.stringEnd) {
          words[index] = old + base.stringEnd - distilled.stringEnd;
          return;
        }
        const offset = strings.get(old);
        if (!offset) throw fault(`string '' [offset ${old}] is not mapped to base BTF`, ERRNO.ENOENT);
        words[index] = offset;
      });
      for (const word of words) {
        view.setInt32(at, word, sections.littleEndian);
        at += 4;
      }
    }
    return Btf.parse(out, base, { pointerSize: split.pointerSize });
  }
}

/**
 * Puts `split`, whose base is a distilled one, on top of `base`, whose types of the same names take the place of the
 * distilled ones. Throws BtfError where a type has no counterpart, or several. Rule: libbpf 1.8, btf__relocate.
 */
export const relocateBtf = (split: Btf, base: Btf): Btf => {
  if (!split.base) throw new BtfError('only split BTF can be relocated');
  return new Relocation(split, split.base, base).run();
};
