// Definitions in the order that C needs, with forward declarations only where something is used before it is defined.
import type { Btf } from '../btf.ts';
import { BTF_KIND, isModifier } from '../kinds.ts';
import { Declarations } from './declare.ts';
import { WorkLimit } from './limits.ts';
import { CNames } from './names.ts';
import { DefinitionOrder } from './order.ts';

const STATE = { NEW: 0, ACTIVE: 1, DONE: 2 } as const;

/** Types of a compiler of its own, and what they are elsewhere. */
const COMPILER_TYPES: Readonly<Record<string, string>> = {
  __Poly8_t: 'unsigned char',
  __Poly16_t: 'unsigned short',
  __Poly64_t: 'unsigned long long',
  __Poly128_t: 'unsigned __int128',
};
/** Known to every compiler; defining it is an error. */
const BUILT_IN = '__builtin_va_list';
const GNU_VA_LIST = '__gnuc_va_list';

export interface COutput {
  write(text: string): void;
  /** A sentence for the user about types that C cannot express. */
  warn(text: string): void;
}

/** Writes C definitions of types; each at most once, however often it is asked for. Rule: libbpf 1.8, btf_dump.c. */
export class CEmitter {
  readonly declarations: Declarations;
  private readonly btf: Btf;
  private readonly output: COutput;
  private readonly limit: WorkLimit;
  private readonly names: CNames;
  private readonly order: DefinitionOrder;
  private readonly states: Uint8Array;
  private readonly announced: Uint8Array;

  /** Throws BtfError for kinds that C cannot express. */
  constructor(btf: Btf, output: COutput) {
    this.btf = btf;
    this.output = output;
    this.limit = new WorkLimit(btf.count);
    this.names = new CNames(btf);
    this.order = new DefinitionOrder(btf, this.limit);
    this.declarations = new Declarations(btf, this.names, this.limit, (text) => output.warn(text));
    this.states = new Uint8Array(btf.count);
    this.states[0] = STATE.DONE;
    this.announced = new Uint8Array(btf.count);
  }

  /** Writes the definition of a type behind all that it needs. Throws BtfError when types embed each other. */
  define(id: number): void {
    for (const definition of this.order.definitionsFor(id)) this.emit(definition, 0);
  }

  private statement(text: string): void {
    this.output.write(`${text};\n\n`);
  }

  /** `container` is the struct or typedef being written, 0 at the top. */
  private emit(id: number, container: number): void {
    if (this.states[id] === STATE.DONE) return;
    this.limit.enter(id);
    if (this.states[id] === STATE.ACTIVE) this.emitActive(id, container);
    else this.emitNew(id, container);
    this.limit.leave();
  }

  /** A type that is needed while it is itself being prepared. */
  private emitActive(id: number, container: number): void {
    if (this.announced[id]) return;
    const kind = this.btf.kind(id);
    if (kind === BTF_KIND.TYPEDEF) {
      this.emitTypedef(id);
    } else {
      if (id === container) return;
      if (this.btf.nameOffset(id) === 0) {
        this.output.warn(`anonymous struct/union loop, id:[${id}]`);
        return;
      }
      this.statement(this.declarations.compositeHead(id));
    }
    this.announced[id] = 1;
  }

  private emitNew(id: number, container: number): void {
    const { btf } = this;
    const kind = btf.kind(id);
    switch (kind) {
      case BTF_KIND.INT: {
        const name = this.names.tag(id);
        if (Object.hasOwn(COMPILER_TYPES, name)) this.statement(`typedef ${COMPILER_TYPES[name]} ${name}`);
        break;
      }
      case BTF_KIND.ENUM:
      case BTF_KIND.ENUM64:
        if (container === 0) this.statement(this.declarations.enumBody(id, 0));
        break;
      case BTF_KIND.FWD:
        this.statement(this.declarations.forwardHead(id));
        break;
      case BTF_KIND.TYPEDEF:
        this.states[id] = STATE.ACTIVE;
        this.emit(btf.type(id), id);
        // It may have been written on the way, when what it names refers back to it.
        if (!this.announced[id]) this.emitTypedef(id);
        break;
      case BTF_KIND.STRUCT:
      case BTF_KIND.UNION:
        this.emitComposite(id, container);
        return;
      case BTF_KIND.ARRAY:
        this.emit(btf.arrayElem(id), container);
        return;
      case BTF_KIND.FUNC_PROTO: {
        this.emit(btf.type(id), container);
        const vlen = btf.vlen(id);
        for (let i = 0; i < vlen; i++) this.emit(btf.paramType(id, i), container);
        return;
      }
      default:
        if (kind === BTF_KIND.PTR || isModifier(kind)) this.emit(btf.type(id), container);
        return;
    }
    this.states[id] = STATE.DONE;
  }

  private emitTypedef(id: number): void {
    const { btf } = this;
    if (btf.name(id) === BUILT_IN) return;
    const name = this.names.typedef(id);
    // Old compilers describe this one as void, which is of no use.
    if (btf.type(id) === 0 && name === GNU_VA_LIST) this.statement(`typedef ${BUILT_IN} ${name}`);
    else this.statement(`typedef ${this.declarations.declare(btf.type(id), name, 0)}`);
  }

  private emitComposite(id: number, container: number): void {
    const { btf } = this;
    const named = btf.nameOffset(id) !== 0;
    this.states[id] = STATE.ACTIVE;
    if (container === 0 || !named) {
      // Its members will be written out, so whatever they mention must be known by then.
      const vlen = btf.vlen(id);
      const inner = named ? id : container;
      for (let i = 0; i < vlen; i++) this.emit(btf.memberType(id, i), inner);
    } else if (!this.announced[id] && id !== container) {
      this.statement(this.declarations.compositeHead(id));
      this.announced[id] = 1;
    }
    if (container === 0) this.statement(this.declarations.compositeBody(id, 0));
    this.states[id] = container === 0 ? STATE.DONE : STATE.NEW;
  }
}
