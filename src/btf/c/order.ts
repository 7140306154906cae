// In which order C needs the definitions: what is embedded comes first, what is only pointed to can be announced.
import { ERRNO } from '../../errno.ts';
import { type Btf, BtfError } from '../btf.ts';
import { BTF_KIND, isComposite } from '../kinds.ts';
import type { WorkLimit } from './limits.ts';

const STATE = { NEW: 0, ACTIVE: 1, DONE: 2 } as const;

/** How a type hangs on the one that it was reached from. */
const WEAK = 0;
const STRONG = 1;

/** Types that some other type refers to; an anonymous enum that none does is a declaration of its own. */
const markReferenced = (btf: Btf): Uint8Array => {
  const referenced = new Uint8Array(btf.count);
  for (let id = 1; id < btf.count; id++) {
    const kind = btf.kind(id);
    const layout = btf.layouts[kind];
    if (kind === BTF_KIND.UNKN || kind > BTF_KIND.ENUM64) throw new BtfError(`kind ${kind} has no C form`);
    // What a prototype returns does not count. Rule: libbpf 1.8, btf_dump.c.
    if (layout.reference && kind !== BTF_KIND.FUNC_PROTO) referenced[btf.type(id)] = 1;
    if (!layout.infoIds && layout.elementId === undefined) continue;
    const words = btf.wordsOf(id);
    for (const index of layout.infoIds ?? []) referenced[words[3 + index]] = 1;
    if (layout.elementId === undefined) continue;
    for (let p = 3 + layout.info + layout.elementId; p < words.length; p += layout.element) referenced[words[p]] = 1;
  }
  return referenced;
};

/** Queues definitions so that each stands behind those it embeds; remembers what earlier calls queued. */
export class DefinitionOrder {
  private readonly btf: Btf;
  private readonly limit: WorkLimit;
  private readonly states: Uint8Array;
  private readonly referenced: Uint8Array;
  private queue: number[] = [];

  /** Throws BtfError for kinds that C cannot express. */
  constructor(btf: Btf, limit: WorkLimit) {
    this.btf = btf;
    this.limit = limit;
    this.states = new Uint8Array(btf.count);
    this.states[0] = STATE.DONE;
    this.referenced = markReferenced(btf);
  }

  /** Ids to define for `id`, in order. Throws BtfError (ELOOP) when a type embeds itself. */
  definitionsFor(id: number): readonly number[] {
    this.queue = [];
    this.visit(id, false);
    return this.queue;
  }

  private visit(id: number, throughPointer: boolean): number {
    if (this.states[id] === STATE.DONE) return STRONG;
    if (this.states[id] === STATE.ACTIVE) {
      if (isComposite(this.btf.kind(id)) && throughPointer && this.btf.nameOffset(id) !== 0) return WEAK;
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
    const { btf } = this;
    switch (btf.kind(id)) {
      case BTF_KIND.INT:
      case BTF_KIND.FLOAT:
        return this.finish(id, WEAK);
      case BTF_KIND.PTR:
        return this.finish(id, this.visit(btf.type(id), true));
      case BTF_KIND.ARRAY:
        return this.visit(btf.arrayElem(id), false);
      case BTF_KIND.STRUCT:
      case BTF_KIND.UNION:
        return this.visitComposite(id, throughPointer);
      case BTF_KIND.ENUM:
      case BTF_KIND.ENUM64:
      case BTF_KIND.FWD:
        if (btf.nameOffset(id) !== 0 || !this.referenced[id]) this.queue.push(id);
        return this.finish(id, STRONG);
      case BTF_KIND.TYPEDEF: {
        const link = this.visit(btf.type(id), throughPointer);
        if (throughPointer && link === WEAK) return WEAK;
        this.queue.push(id);
        return this.finish(id, STRONG);
      }
      case BTF_KIND.VOLATILE:
      case BTF_KIND.CONST:
      case BTF_KIND.RESTRICT:
      case BTF_KIND.TYPE_TAG:
        return this.visit(btf.type(id), throughPointer);
      case BTF_KIND.FUNC_PROTO: {
        let link = this.visit(btf.type(id), throughPointer);
        const vlen = btf.vlen(id);
        for (let i = 0; i < vlen; i++) link |= this.visit(btf.paramType(id, i), throughPointer);
        return link;
      }
      default:
        return this.finish(id, WEAK);
    }
  }

  private visitComposite(id: number, throughPointer: boolean): number {
    const named = this.btf.nameOffset(id) !== 0;
    // Behind a pointer a name is enough; an anonymous one has to be written out where it stands.
    if (throughPointer && named) return WEAK;
    this.states[id] = STATE.ACTIVE;
    const vlen = this.btf.vlen(id);
    for (let i = 0; i < vlen; i++) this.visit(this.btf.memberType(id, i), false);
    if (named) this.queue.push(id);
    return this.finish(id, STRONG);
  }
}
