// In which order C needs the definitions: what is embedded comes first, what is only pointed to can be announced.
import { ERRNO } from '../../errno.ts';
import { BtfError } from '../btf-error.ts';
import type { FlatTypes } from '../flat-types.ts';
import { BTF_KIND, isComposite, isModifier, KIND_LAYOUTS } from '../kinds.ts';
import type { WorkLimit } from './limits.ts';

const STATE = { NEW: 0, ACTIVE: 1, DONE: 2 } as const;

/** How a type hangs on the one that it was reached from. */
const WEAK = 0;
const STRONG = 1;

/** Kinds that lead to no definition. */
const LEAVES: readonly number[] = [
  BTF_KIND.INT,
  BTF_KIND.FLOAT,
  BTF_KIND.FUNC,
  BTF_KIND.VAR,
  BTF_KIND.DATASEC,
  BTF_KIND.DECL_TAG,
];
/** Steps after which a type counts as unsettled; more than any function of a kernel has parameters. */
const MAX_SETTLED_STEPS = 500;

/** Throws BtfError for kinds that C cannot express; without a table of its own, data has none of them. */
const checkKinds = (types: FlatTypes): void => {
  if (types.layouts.length <= KIND_LAYOUTS.length) return;
  for (let id = 1; id < types.count; id++) {
    const kind = types.kind(id);
    if (kind >= KIND_LAYOUTS.length) throw new BtfError(`kind ${kind} has no C form`);
  }
};

/** Types that some other type refers to; an anonymous enum that none does is a declaration of its own. */
const markReferenced = ({ words, places, layouts, count }: FlatTypes): Uint8Array => {
  const referenced = new Uint8Array(count);
  const elementWords = Int32Array.from(layouts, ({ element }) => element);
  // What a prototype returns does not count. Rule: libbpf 1.8, btf_dump.c.
  const refers = Uint8Array.from(layouts, ({ reference }, kind) => (reference && kind !== BTF_KIND.FUNC_PROTO ? 1 : 0));
  for (let id = 1; id < count; id++) {
    const at = places[id];
    const info = words[at + 1];
    const kind = (info >>> 24) & 0x7f;
    if (refers[kind]) {
      referenced[words[at + 2]] = 1;
    } else if (kind === BTF_KIND.STRUCT || kind === BTF_KIND.UNION || kind === BTF_KIND.FUNC_PROTO) {
      const step = elementWords[kind];
      for (let p = at + 4, to = p + (info & 0xffffff) * step; p < to; p += step) referenced[words[p]] = 1;
    } else if (kind === BTF_KIND.ARRAY) {
      referenced[words[at + 3]] = 1;
      referenced[words[at + 4]] = 1;
    } else if (kind === BTF_KIND.DATASEC) {
      for (let p = at + 3, to = p + (info & 0xffffff) * 3; p < to; p += 3) referenced[words[p]] = 1;
    }
  }
  return referenced;
};

/** Queues definitions so that each stands behind those it embeds; remembers what earlier calls queued. */
export class DefinitionOrder {
  private readonly types: FlatTypes;
  private readonly limit: WorkLimit;
  private readonly states: Uint8Array;
  private referenced: Uint8Array | undefined;
  private settledSteps = 0;
  private queue: number[] = [];

  /** Throws BtfError for kinds that C cannot express. */
  constructor(types: FlatTypes, limit: WorkLimit) {
    checkKinds(types);
    this.types = types;
    this.limit = limit;
    this.states = new Uint8Array(types.count);
    this.states[0] = STATE.DONE;
  }

  /** Ids to define for `id`, in order. Throws BtfError (ELOOP) when a type embeds itself. */
  definitionsFor(id: number): readonly number[] {
    this.queue = [];
    this.visit(id, false);
    return this.queue;
  }

  /**
   * Whether visiting a type, after all those whose definitions may come of it, would queue nothing: it only leads to
   * what is done, or by a pointer to what a name is enough for. False in doubt.
   */
  isSettled(id: number): boolean {
    this.settledSteps = 0;
    return this.settled(id, false);
  }

  private settled(id: number, throughPointer: boolean): boolean {
    const { types } = this;
    if (this.states[id] === STATE.DONE) return true;
    if (++this.settledSteps > MAX_SETTLED_STEPS) return false;
    const kind = types.kind(id);
    if (kind === BTF_KIND.PTR) return this.settled(types.type(id), true);
    if (kind === BTF_KIND.ARRAY) return this.settled(types.arrayElem(id), false);
    if (isModifier(kind)) return this.settled(types.type(id), throughPointer);
    if (isComposite(kind)) return types.nameOffset(id) === 0 ? this.areElementsSettled(id, 3, false) : throughPointer;
    if (kind !== BTF_KIND.FUNC_PROTO) return LEAVES.includes(kind);
    return this.settled(types.type(id), throughPointer) && this.areElementsSettled(id, 2, throughPointer);
  }

  /** Elements have some words, of which the second one is their type. */
  private areElementsSettled(id: number, elementWords: number, throughPointer: boolean): boolean {
    const { types } = this;
    const from = types.rest(id);
    for (let p = from, to = from + types.vlen(id) * elementWords; p < to; p += elementWords) {
      if (++this.settledSteps > MAX_SETTLED_STEPS || !this.settled(types.words[p + 1], throughPointer)) return false;
    }
    return true;
  }

  private isReferenced(id: number): boolean {
    this.referenced ??= markReferenced(this.types);
    return this.referenced[id] === 1;
  }

  private visit(id: number, throughPointer: boolean): number {
    if (this.states[id] === STATE.DONE) return STRONG;
    if (this.states[id] === STATE.ACTIVE) {
      if (isComposite(this.types.kind(id)) && throughPointer && this.types.nameOffset(id) !== 0) return WEAK;
      throw new BtfError(`unsatisfiable type cycle, id:[${id}]`, { errno: ERRNO.ELOOP, warned: true });
    }
    this.limit.enter(id);
    const link = this.visitNew(id, throughPointer);
    this.limit.leave();
    return link;
  }

  private finish(id: number, link: number): number {
    this.states[id] = STATE.DONE;
    return link;
  }

  private visitNew(id: number, throughPointer: boolean): number {
    const { types } = this;
    switch (types.kind(id)) {
      case BTF_KIND.INT:
      case BTF_KIND.FLOAT:
        return this.finish(id, WEAK);
      case BTF_KIND.PTR:
        return this.finish(id, this.visit(types.type(id), true));
      case BTF_KIND.ARRAY:
        return this.visit(types.arrayElem(id), false);
      case BTF_KIND.STRUCT:
      case BTF_KIND.UNION:
        return this.visitComposite(id, throughPointer);
      case BTF_KIND.ENUM:
      case BTF_KIND.ENUM64:
      case BTF_KIND.FWD:
        if (types.nameOffset(id) !== 0 || !this.isReferenced(id)) this.queue.push(id);
        return this.finish(id, STRONG);
      case BTF_KIND.TYPEDEF: {
        const link = this.visit(types.type(id), throughPointer);
        if (throughPointer && link === WEAK) return WEAK;
        this.queue.push(id);
        return this.finish(id, STRONG);
      }
      case BTF_KIND.VOLATILE:
      case BTF_KIND.CONST:
      case BTF_KIND.RESTRICT:
      case BTF_KIND.TYPE_TAG:
        return this.visit(types.type(id), throughPointer);
      case BTF_KIND.FUNC_PROTO: {
        let link = this.visit(types.type(id), throughPointer);
        const from = types.rest(id);
        for (let p = from, to = from + types.vlen(id) * 2; p < to; p += 2) {
          link |= this.visit(types.words[p + 1], throughPointer);
        }
        return link;
      }
      default:
        return this.finish(id, WEAK);
    }
  }

  private visitComposite(id: number, throughPointer: boolean): number {
    const { types } = this;
    const named = types.nameOffset(id) !== 0;
    // Behind a pointer a name is enough; an anonymous one has to be written out where it stands.
    if (throughPointer && named) return WEAK;
    this.states[id] = STATE.ACTIVE;
    const from = types.rest(id);
    for (let p = from, to = from + types.vlen(id) * 3; p < to; p += 3) this.visit(types.words[p + 1], false);
    if (named) this.queue.push(id);
    return this.finish(id, STRONG);
  }
}
