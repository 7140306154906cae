// Members of kernel structures: offset and size, from the image's BTF.
import { BTF_KIND, type Btf, BtfError } from '../../../btf/btf.ts';
import type { KernelImage } from '../../image/image.ts';

/** Bytes. */
export interface StructField {
  readonly off: number;
  readonly size: number;
}

const known = new WeakMap<KernelImage, Map<string, StructField>>();

/** Type of a member looked for by name, through anonymous ones; 0 if there is none. */
function memberType(btf: Btf, id: number, name: string): number {
  for (let i = 0; i < btf.vlen(id); i++) {
    const member = btf.memberName(id, i);
    if (member === name) return btf.memberType(id, i);
    if (member !== '') continue;
    const inner = btf.skipModsAndTypedefs(btf.memberType(id, i));
    const kind = btf.kind(inner);
    const found = kind === BTF_KIND.STRUCT || kind === BTF_KIND.UNION ? memberType(btf, inner, name) : 0;
    if (found) return found;
  }
  return 0;
}

/** A member by "struct.member.member…". Throws BtfError if the image has none. */
export function structField(image: KernelImage, path: string): StructField {
  let fields = known.get(image);
  if (!fields) {
    fields = new Map();
    known.set(image, fields);
  }
  let field = fields.get(path);
  if (!field) {
    const [struct, ...members] = path.split('.');
    const btf = image.btf();
    let type = btf.find(struct, BTF_KIND.STRUCT);
    for (const member of members) {
      type = type ? memberType(btf, btf.skipModsAndTypedefs(type), member) : 0;
    }
    if (!type) throw new BtfError(`no member ${path}`);
    field = { off: image.offsetOf(struct, members.join('.')), size: btf.resolveSize(type) };
    fields.set(path, field);
  }
  return field;
}
