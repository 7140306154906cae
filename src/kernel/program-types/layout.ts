// Where the fields of a context structure lie, read from the image's BTF.
import type { Btf } from '../../btf/btf.ts';
import { BTF_KIND } from '../../btf/btf.ts';
import type { KernelImage } from '../image/image.ts';

/** Bytes [off, end) of a field. */
export interface FieldRange {
  readonly off: number;
  readonly end: number;
}

export interface ContextLayout {
  /** Bytes of the whole structure. */
  readonly size: number;
  readonly fields: ReadonlyMap<string, FieldRange>;
}

const layouts = new WeakMap<KernelImage, Map<string, ContextLayout>>();

function collect(btf: Btf, id: number, base: number, fields: Map<string, FieldRange>): void {
  for (let i = 0; i < btf.vlen(id); i++) {
    const name = btf.memberName(id, i);
    const type = btf.skipModsAndTypedefs(btf.memberType(id, i));
    const off = base + (btf.memberBitOffset(id, i) >> 3);
    const kind = btf.kind(type);
    if (name === '' && (kind === BTF_KIND.STRUCT || kind === BTF_KIND.UNION)) collect(btf, type, off, fields);
    else if (name !== '') fields.set(name, { off, end: off + Math.max(btf.resolveSize(type), 0) });
  }
}

/** Layout of a structure of the image; fields of anonymous members count as its own. Throws if there is none. */
export function layoutOf(image: KernelImage, struct: string): ContextLayout {
  let known = layouts.get(image);
  if (!known) {
    known = new Map();
    layouts.set(image, known);
  }
  let layout = known.get(struct);
  if (!layout) {
    const btf = image.btf();
    const id = btf.find(struct, BTF_KIND.STRUCT);
    if (id === 0) throw new Error(`the kernel image has no struct ${struct}`);
    const fields = new Map<string, FieldRange>();
    collect(btf, id, 0, fields);
    layout = { size: btf.size(id), fields };
    known.set(struct, layout);
  }
  return layout;
}

/** Range of a field, or from one field to the end of another ("family..local_port"). */
export function rangeOf(layout: ContextLayout, field: string): FieldRange {
  const single = layout.fields.get(field);
  if (single) return single;
  const [first, last] = field.split('..');
  const from = layout.fields.get(first);
  const to = last === undefined ? from : layout.fields.get(last);
  if (!from || !to) throw new Error(`the context has no field ${field}`);
  return { off: from.off, end: to.end };
}
