// Definitions in the order that C needs, with forward declarations only where something is used before it is defined.
import { type ByteSink, token } from '../../print/byte-sink.ts';
import type { Btf } from '../btf.ts';
import type { FlatTypes } from '../flat-types.ts';
import { BTF_KIND, isModifier } from '../kinds.ts';
import { DeclarationWriter } from './declare.ts';
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
const BUILT_IN = Buffer.from('__builtin_va_list');
const GNU_VA_LIST = Buffer.from('__gnuc_va_list');

const END = token(';\n\n');
const TYPEDEF = token('typedef ');

export interface COutput {
  out: ByteSink;
  /** A sentence for the user about types that C cannot express. */
  warn(text: string): void;
}

/** Writes C definitions of types; each at most once, however often it is asked for. Rule: libbpf 1.8, btf_dump.c. */
export class CEmitter {
  readonly declarations: DeclarationWriter;
  private readonly types: FlatTypes;
  private readonly output: COutput;
  private readonly limit: WorkLimit;
  private readonly names: CNames;
  private readonly order: DefinitionOrder;
  private readonly states: Uint8Array;
  private readonly announced: Uint8Array;

  /** Throws BtfError for kinds that C cannot express. */
  constructor(btf: Btf, output: COutput) {
    const types = btf.flat();
    const limit = WorkLimit.ofDump(btf.count);
    this.types = types;
    this.output = output;
    this.limit = limit;
    this.names = new CNames(btf);
    this.order = new DefinitionOrder(types, limit);
    this.declarations = new DeclarationWriter({ types, names: this.names, limit, ...output });
    this.states = new Uint8Array(btf.count);
    this.states[0] = STATE.DONE;
    this.announced = new Uint8Array(btf.count);
  }

  /** Writes the definition of a type behind all that it needs. Throws BtfError when types embed each other. */
  define(id: number): void {
    for (const definition of this.order.definitionsFor(id)) this.emit(definition, 0);
  }

  /** Whether `define` would write nothing and change nothing that matters to others. */
  isSettled(id: number): boolean {
    return this.order.isSettled(id);
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
    const { types, output } = this;
    if (types.kind(id) === BTF_KIND.TYPEDEF) {
      this.emitTypedef(id);
    } else {
      if (id === container) return;
      if (types.nameOffset(id) === 0) {
        output.warn(`anonymous struct/union loop, id:[${id}]`);
        return;
      }
      this.declarations.compositeHead(id);
      output.out.put(END);
    }
    this.announced[id] = 1;
  }

  private emitNew(id: number, container: number): void {
    const { types, declarations } = this;
    const { out } = this.output;
    const { words } = types;
    const kind = types.kind(id);
    switch (kind) {
      case BTF_KIND.INT:
        this.emitInt(id);
        break;
      case BTF_KIND.ENUM:
      case BTF_KIND.ENUM64:
        if (container === 0) {
          declarations.enumBody(id, 0);
          out.put(END);
        }
        break;
      case BTF_KIND.FWD:
        declarations.forwardHead(id);
        out.put(END);
        break;
      case BTF_KIND.TYPEDEF:
        this.states[id] = STATE.ACTIVE;
        this.emit(types.type(id), id);
        // It may have been written on the way, when what it names refers back to it.
        if (!this.announced[id]) this.emitTypedef(id);
        break;
      case BTF_KIND.STRUCT:
      case BTF_KIND.UNION:
        this.emitComposite(id, container);
        return;
      case BTF_KIND.ARRAY:
        this.emit(types.arrayElem(id), container);
        return;
      case BTF_KIND.FUNC_PROTO: {
        this.emit(types.type(id), container);
        const from = types.rest(id);
        for (let p = from, to = from + types.vlen(id) * 2; p < to; p += 2) this.emit(words[p + 1], container);
        return;
      }
      default:
        if (kind === BTF_KIND.PTR || isModifier(kind)) this.emit(types.type(id), container);
        return;
    }
    this.states[id] = STATE.DONE;
  }

  private emitInt(id: number): void {
    const { types } = this;
    const name = types.strings.at(types.nameOffset(id));
    if (this.names.tag(id) === 1 && Object.hasOwn(COMPILER_TYPES, name))
      this.output.out.text(`typedef ${COMPILER_TYPES[name]} ${name};\n\n`);
  }

  private emitTypedef(id: number): void {
    const { types, declarations } = this;
    const { out } = this.output;
    const name = types.nameOffset(id);
    if (types.strings.is(name, BUILT_IN)) return;
    out.put(TYPEDEF);
    // Old compilers describe this one as void, which is of no use.
    if (types.type(id) === 0 && types.strings.is(name, GNU_VA_LIST)) out.text(`${BUILT_IN} ${GNU_VA_LIST}`);
    else declarations.declare(types.type(id), -id, 0);
    out.put(END);
  }

  private emitComposite(id: number, container: number): void {
    const { types, declarations } = this;
    const { words } = types;
    const { out } = this.output;
    const named = types.nameOffset(id) !== 0;
    this.states[id] = STATE.ACTIVE;
    if (container === 0 || !named) {
      // Its members will be written out, so whatever they mention must be known by then.
      const inner = named ? id : container;
      const from = types.rest(id);
      for (let p = from, to = from + types.vlen(id) * 3; p < to; p += 3) this.emit(words[p + 1], inner);
    } else if (!this.announced[id] && id !== container) {
      declarations.compositeHead(id);
      out.put(END);
      this.announced[id] = 1;
    }
    if (container === 0) {
      declarations.compositeBody(id, 0);
      out.put(END);
    }
    this.states[id] = container === 0 ? STATE.DONE : STATE.NEW;
  }
}
