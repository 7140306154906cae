// Second walk over the types: what each refers to must be there, make sense, and not lead back to it. Types are
// resolved depth first; where a type leads through a pointer, the walk may end early, for pointers may form rings.
// rule: btf_check_all_types, btf_resolve, btf.c, 6.18
import { BTF_KIND } from '../../../btf/btf.ts';
import { ERRNO } from '../../../errno.ts';
import type { BtfLog } from './btf-log.ts';
import { BtfFault } from './fault.ts';
import { checkMember } from './members.ts';
import { checkPrototype } from './prototypes.ts';
import type { RawBtf } from './raw-btf.ts';
import { Resolved } from './resolved.ts';

const MAX_DEPTH = 32;
const MAX_U32 = 0xffffffff;

/** Visit states. */
const VISITED = 1;
const RESOLVED = 2;

/** What the walk is about, which decides where it may stop. */
type Mode = 'unknown' | 'pointer' | 'aggregate';

interface Vertex {
  id: number;
  /** Members before this one are done. */
  next: number;
}

const TAGGABLE: ReadonlySet<number> = new Set([
  BTF_KIND.FUNC,
  BTF_KIND.STRUCT,
  BTF_KIND.UNION,
  BTF_KIND.VAR,
  BTF_KIND.TYPEDEF,
]);

export class Resolver {
  readonly resolved: Resolved;
  private readonly btf: RawBtf;
  private readonly log: BtfLog;
  private readonly states: Uint8Array;
  private readonly stack: Vertex[] = [];
  private mode: Mode = 'unknown';

  constructor(btf: RawBtf, log: BtfLog) {
    this.btf = btf;
    this.log = log;
    this.resolved = new Resolved(btf);
    this.states = new Uint8Array(btf.count);
  }

  /** Resolves all types; throws BtfFault. */
  checkAll(): void {
    const { btf, log } = this;
    log.printed = true;
    for (let id = 1; id < btf.count; id++) {
      log.typeId = id;
      this.ensure(id);
      if (btf.is(id, BTF_KIND.FUNC_PROTO)) {
        checkPrototype(btf, log, this.resolved, id, (type) => this.ensure(type));
      }
    }
  }

  /** Resolves a type that needs it and is not resolved yet. */
  private ensure(id: number): void {
    if (this.btf.needsResolving(id) && !this.isResolved(id)) this.resolve(id);
  }

  private isResolved(id: number): boolean {
    return this.states[id] === RESOLVED;
  }

  /** The walk need not go into this type. rule: env_type_is_resolve_sink, 6.18 */
  private isSink(id: number): boolean {
    const { btf } = this;
    if (this.mode === 'unknown') return !btf.needsResolving(id);
    if (btf.isModifier(id)) return false;
    if (this.mode === 'pointer') return !btf.is(id, BTF_KIND.PTR);
    return !btf.is(id, BTF_KIND.ARRAY) && !btf.isComposite(id);
  }

  private push(id: number): void {
    if (this.stack.length === MAX_DEPTH) throw new BtfFault(ERRNO.E2BIG);
    if (this.states[id] !== 0) throw new BtfFault(ERRNO.EEXIST);
    this.states[id] = VISITED;
    this.stack.push({ id, next: 0 });
    if (this.mode !== 'unknown') return;
    if (this.btf.is(id, BTF_KIND.PTR)) this.mode = 'pointer';
    else if (this.btf.isComposite(id) || this.btf.is(id, BTF_KIND.ARRAY)) this.mode = 'aggregate';
  }

  /** Goes into a type first, if it has to; true when it does. */
  private enter(id: number): boolean {
    if (this.isSink(id) || this.isResolved(id)) return false;
    this.push(id);
    return true;
  }

  private done(target: number, size = 0): void {
    const { id } = this.stack.pop() as Vertex;
    this.resolved.ids[id] = target;
    this.resolved.sizes[id] = size;
    this.states[id] = RESOLVED;
  }

  private resolve(id: number): void {
    const before = this.log.typeId;
    this.mode = 'unknown';
    this.stack.length = 0;
    try {
      this.push(id);
      for (let top = this.stack.at(-1); top; top = this.stack.at(-1)) {
        this.log.typeId = top.id;
        STEPS[this.btf.kind(top.id)](this, top);
      }
    } catch (e) {
      this.log.typeId = id;
      if (e instanceof BtfFault && e.errno === ERRNO.E2BIG) {
        this.log.failType(id, `Exceeded max resolving depth:${MAX_DEPTH}`, ERRNO.E2BIG);
      }
      if (e instanceof BtfFault && e.errno === ERRNO.EEXIST) this.log.failType(id, 'Loop detected', ERRNO.EEXIST);
      throw e;
    }
    this.log.typeId = id;
    if (!this.isSound(id)) this.log.failType(id, 'Invalid resolve state');
    this.log.typeId = before;
  }

  /** rule: btf_resolve_valid, 6.18 */
  private isSound(id: number): boolean {
    const { btf, resolved } = this;
    const target = resolved.ids[id];
    const kind = btf.kind(id);
    if (btf.isComposite(id) || kind === BTF_KIND.DATASEC) return target === 0 && resolved.sizes[id] === 0;
    if (kind === BTF_KIND.DECL_TAG || kind === BTF_KIND.FUNC) return target !== 0 && resolved.sizes[id] === 0;
    if (kind !== BTF_KIND.ARRAY) {
      return !btf.isModifier(target) && !btf.is(target, BTF_KIND.VAR) && !btf.is(target, BTF_KIND.DATASEC);
    }
    const element = resolved.sized(btf.word(id, 0));
    return element !== undefined && !btf.isModifier(element.id);
  }

  /** The type that the third word names, if anything may refer to it. */
  private target(id: number): number {
    const target = this.btf.third(id);
    if (!this.btf.exists(target) || this.btf.isSourceOnly(target)) this.log.failType(id, 'Invalid type_id');
    return target;
  }

  /** Where a modifier was resolved on behalf of a struct it may have stopped at a pointer: goes on from there. */
  private enterBehind(id: number): boolean {
    if (!this.btf.isModifier(id)) return false;
    const behind = this.resolved.ids[id];
    return this.btf.is(behind, BTF_KIND.PTR) && this.enter(behind);
  }

  /** What a pointer or a modifier leads to: a type with a size, or one of those that may lack it. */
  private finish(id: number, target: number): void {
    const { btf, resolved } = this;
    const sized = resolved.sized(target);
    if (sized) {
      this.done(sized.id);
      return;
    }
    const end = this.isResolved(target) ? resolved.ids[target] : target;
    const allowed = end === 0 || btf.is(end, BTF_KIND.FWD) || btf.is(end, BTF_KIND.FUNC_PROTO);
    if (!allowed) this.log.failType(id, 'Invalid type_id');
    this.done(end);
  }

  modifier({ id }: Vertex): void {
    const target = this.target(id);
    if (!this.enter(target)) this.finish(id, target);
  }

  pointer({ id }: Vertex): void {
    const target = this.target(id);
    if (this.enter(target) || this.enterBehind(target)) return;
    this.finish(id, target);
  }

  variable({ id }: Vertex): void {
    const target = this.target(id);
    if (this.enter(target) || this.enterBehind(target)) return;
    const sized = this.resolved.sized(target) ?? this.log.failType(id, 'Invalid type_id');
    this.done(sized.id);
  }

  array({ id }: Vertex): void {
    const { btf, log, resolved } = this;
    const [element, index, length] = [0, 1, 2].map((word) => btf.word(id, word));
    if (btf.isSizeless(index) || btf.isSourceOnly(index)) log.failType(id, 'Invalid index');
    if (this.enter(index)) return;
    const indexType = resolved.sized(index)?.id;
    if (indexType === undefined || !btf.is(indexType, BTF_KIND.INT) || !btf.isRegularInt(indexType)) {
      log.failType(id, 'Invalid index');
    }
    if (btf.isSizeless(element) || btf.isSourceOnly(element)) log.failType(id, 'Invalid elem');
    if (this.enter(element)) return;
    const type = resolved.sized(element) ?? log.failType(id, 'Invalid elem');
    if (btf.is(type.id, BTF_KIND.INT) && !btf.isRegularInt(type.id)) log.failType(id, 'Invalid array of int');
    if (type.size * length > MAX_U32) log.failType(id, 'Array size overflows U32_MAX');
    this.done(type.id, type.size * length);
  }

  composite(vertex: Vertex): void {
    const { btf, log, resolved } = this;
    const { id } = vertex;
    // The member that the walk went into is checked when it comes back.
    if (vertex.next > 0) checkMember(btf, log, resolved, id, vertex.next - 1);
    for (let i = vertex.next; i < btf.vlen(id); i++) {
      const type = btf.word(id, i * 3 + 1);
      if (btf.isSizeless(type) || btf.isSourceOnly(type)) log.failMember(id, i, 'Invalid member');
      vertex.next = i + 1;
      if (this.enter(type)) return;
      checkMember(btf, log, resolved, id, i);
    }
    this.done(0);
  }

  section(vertex: Vertex): void {
    const { btf, log, resolved } = this;
    const { id } = vertex;
    this.mode = 'unknown';
    for (let i = vertex.next; i < btf.vlen(id); i++) {
      const variable = btf.word(id, i * 3);
      if (!btf.exists(variable) || !btf.is(variable, BTF_KIND.VAR)) log.failVariable(id, i, 'Not a VAR kind member');
      if (!this.isResolved(variable)) {
        // Linux goes on behind this one and does not look at its size again.
        vertex.next = i + 1;
        this.push(variable);
        return;
      }
      const type = resolved.sized(btf.third(variable)) ?? log.failVariable(id, i, 'Invalid type');
      if (btf.word(id, i * 3 + 2) < type.size) log.failVariable(id, i, 'Invalid size');
    }
    this.done(0);
  }

  func({ id }: Vertex): void {
    const { btf, log } = this;
    const prototype = btf.third(id);
    if (!btf.exists(prototype) || !btf.is(prototype, BTF_KIND.FUNC_PROTO)) log.failType(id, 'Invalid type_id');
    for (let i = 0; i < btf.vlen(prototype); i++) {
      const [name, type] = [btf.word(prototype, i * 2), btf.word(prototype, i * 2 + 1)];
      if (name === 0 && type !== 0) log.failType(id, `Invalid arg#${i + 1}`);
    }
    this.done(prototype);
  }

  declTag({ id }: Vertex): void {
    const { btf, log } = this;
    const target = btf.third(id);
    if (!btf.exists(target) || !TAGGABLE.has(btf.kind(target))) log.failType(id, 'Invalid type_id');
    if (this.enter(target)) return;
    const component = btf.word(id, 0) | 0;
    if (component !== -1) {
      const whole = btf.is(target, BTF_KIND.VAR) || btf.is(target, BTF_KIND.TYPEDEF);
      const parts = btf.isComposite(target) ? btf.vlen(target) : btf.vlen(whole ? 0 : btf.third(target));
      if (whole || component >>> 0 >= parts) log.failType(id, 'Invalid component_idx');
    }
    this.done(target);
  }
}

const modifier = (r: Resolver, v: Vertex): void => r.modifier(v);
const composite = (r: Resolver, v: Vertex): void => r.composite(v);

/** One step of the walk, by the kind of the type on top. */
const STEPS: Readonly<Record<number, (resolver: Resolver, vertex: Vertex) => void>> = {
  [BTF_KIND.PTR]: (r, v) => r.pointer(v),
  [BTF_KIND.ARRAY]: (r, v) => r.array(v),
  [BTF_KIND.STRUCT]: composite,
  [BTF_KIND.UNION]: composite,
  [BTF_KIND.TYPEDEF]: modifier,
  [BTF_KIND.VOLATILE]: modifier,
  [BTF_KIND.CONST]: modifier,
  [BTF_KIND.RESTRICT]: modifier,
  [BTF_KIND.TYPE_TAG]: modifier,
  [BTF_KIND.FUNC]: (r, v) => r.func(v),
  [BTF_KIND.VAR]: (r, v) => r.variable(v),
  [BTF_KIND.DATASEC]: (r, v) => r.section(v),
  [BTF_KIND.DECL_TAG]: (r, v) => r.declTag(v),
};
