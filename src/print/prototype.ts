// C-like text of types, as bpftool writes it above a function: `int prog(struct xdp_md * ctx)`.
import type { Btf } from '../btf/btf.ts';
import { BTF_KIND, LINKAGE } from '../btf/kinds.ts';

/** Bytes that bpftool keeps for the text, final NUL included; what does not fit is not shown at all. */
const BUFFER_SIZE = 1024;

/** Words before the name of what has one. */
const PREFIXES: Readonly<Record<number, string>> = {
  [BTF_KIND.INT]: '',
  [BTF_KIND.TYPEDEF]: '',
  [BTF_KIND.FLOAT]: '',
  [BTF_KIND.STRUCT]: 'struct ',
  [BTF_KIND.UNION]: 'union ',
  [BTF_KIND.ENUM]: 'enum ',
  [BTF_KIND.ENUM64]: 'enum ',
};

const QUALIFIERS: Readonly<Record<number, string>> = {
  [BTF_KIND.VOLATILE]: 'volatile ',
  [BTF_KIND.CONST]: 'const ',
  [BTF_KIND.RESTRICT]: 'restrict ',
};

/** Text under construction; each step is false when the type has no such form or the text grew too long. */
class Signature {
  text = '';
  private readonly btf: Btf;
  private nesting = 0;

  constructor(btf: Btf) {
    this.btf = btf;
  }

  private add(piece: string): boolean {
    this.text += piece;
    return Buffer.byteLength(this.text) < BUFFER_SIZE;
  }

  type(id: number): boolean {
    // Pointers and arrays write behind what they refer to; a chain as long as the buffer is a loop.
    this.nesting++;
    const done = this.nesting < BUFFER_SIZE && this.nestedType(id);
    this.nesting--;
    return done;
  }

  private nestedType(id: number): boolean {
    const { btf } = this;
    if (id === 0) return this.add('void ');
    const kind = btf.kind(id);
    const prefix = PREFIXES[kind];
    if (prefix !== undefined) return this.add(`${prefix}${btf.name(id)} `);
    const qualifier = QUALIFIERS[kind];
    if (qualifier) return this.add(qualifier) && this.type(btf.type(id));
    switch (kind) {
      case BTF_KIND.ARRAY:
        return this.type(btf.arrayElem(id)) && this.add(`[${btf.arrayLength(id)}]`);
      case BTF_KIND.PTR:
        return this.type(btf.type(id)) && this.add('* ');
      case BTF_KIND.FWD:
        return this.add(`${btf.kflag(id) ? 'union' : 'struct'} ${btf.name(id)} `);
      case BTF_KIND.FUNC_PROTO:
        return this.prototype(id, '');
      case BTF_KIND.FUNC:
        return this.prototype(btf.type(id), btf.name(id));
      case BTF_KIND.VAR:
        if (btf.linkage(id) === LINKAGE.STATIC && !this.add('static ')) return false;
        return this.type(btf.type(id)) && this.add(` ${btf.name(id)}`);
      case BTF_KIND.DATASEC:
        return this.add(`section ("${btf.name(id)}") `);
      default:
        return false;
    }
  }

  prototype(id: number, name: string): boolean {
    const { btf } = this;
    if (!this.type(btf.type(id)) || !this.add(`${name}(`)) return false;
    const vlen = btf.vlen(id);
    for (let i = 0; i < vlen; i++) {
      if (i && !this.add(', ')) return false;
      const type = btf.paramType(id, i);
      if (type === 0) {
        if (!this.add('...')) return false;
        continue;
      }
      if (!this.type(type)) return false;
      const param = btf.paramName(id, i);
      if (param && !this.add(param)) return false;
      if (!param && this.text.endsWith(' ')) this.text = this.text.slice(0, -1);
    }
    return this.add(')');
  }
}

/** Text of a type, or of a FUNC with its name and parameters; empty for what has no such form. Rule: bpftool 7.8. */
export const typeOnlyText = (btf: Btf, id: number): string => {
  const signature = new Signature(btf);
  return signature.type(id) ? signature.text : '';
};

/** `int (struct sk_buff *)` of a FUNC_PROTO; undefined for what has no such form. */
export const prototypeText = (btf: Btf, id: number): string | undefined => {
  const signature = new Signature(btf);
  return signature.prototype(id, '') ? signature.text : undefined;
};
