// Whether the C that a dump of types consists of means the same types: it is compiled, and the layouts are compared.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BTF_KIND, type Btf } from '../../src/btf/btf.ts';
import { parseBtfFile } from '../../src/btf/file.ts';
import { isComposite, isEnum, isModifier } from '../../src/btf/kinds.ts';

const WORDS: Readonly<Record<number, string>> = {
  [BTF_KIND.STRUCT]: 'struct ',
  [BTF_KIND.UNION]: 'union ',
  [BTF_KIND.ENUM]: 'enum ',
  [BTF_KIND.ENUM64]: 'enum ',
  [BTF_KIND.TYPEDEF]: '',
};

/** A type as text that is the same for types of the same layout; named ones inside are told by name and size. */
const describe = (btf: Btf, id: number, whole: boolean): string => {
  const kind = btf.kind(id);
  if (isModifier(kind)) return describe(btf, btf.type(id), whole);
  const name = btf.name(id);
  if (kind === BTF_KIND.TYPEDEF) return describe(btf, btf.type(id), whole);
  if (kind === BTF_KIND.PTR) return 'pointer';
  if (kind === BTF_KIND.ARRAY) return `${describe(btf, btf.arrayElem(id), whole)}[${btf.arrayLength(id)}]`;
  if (isEnum(kind)) {
    const values = Array.from({ length: btf.vlen(id) }, (_, i) => `${btf.enumName(id, i)}=${btf.enumValue(id, i)}`);
    return `enum ${btf.size(id)} {${values.join()}}`;
  }
  // How a number is called is no matter of layout: pahole takes some floats for integers.
  if (!isComposite(kind)) return `scalar:${btf.resolveSize(id)}`;
  if (name !== '' && !whole) return `${name}:${btf.size(id)}`;
  const members = Array.from({ length: btf.vlen(id) }, (_, i) => {
    const type = describe(btf, btf.memberType(id, i), false);
    return `${btf.memberName(id, i)}@${btf.memberBitOffset(id, i)}:${btf.memberBitSize(id, i)} ${type}`;
  });
  return `${btf.size(id)} {${members.join('; ')}}`;
};

/** Ids of types that can be named in C, by that name; those whose name another has are left out: one is renamed. */
const named = (btf: Btf): Map<string, number> => {
  const found = new Map<string, number>();
  const uses = new Map<string, number>();
  for (let id = 1; id < btf.count; id++) {
    const word = WORDS[btf.kind(id)];
    const name = btf.name(id);
    if (word === undefined || name === '') continue;
    // Structs, unions and enums share their names.
    const place = `${word === '' ? 'typedef' : 'tag'} ${name}`;
    uses.set(place, (uses.get(place) ?? 0) + 1);
    found.set(word + name, id);
  }
  for (const [place, count] of uses) {
    if (count === 1) continue;
    const name = place.slice(place.indexOf(' ') + 1);
    for (const word of place.startsWith('tag') ? ['struct ', 'union ', 'enum '] : ['']) found.delete(word + name);
  }
  return found;
};

/** Makes an object with BTF of a source file; gives the compiler's first complaint if it has one. */
export type Compile = (source: string, object: string) => string | undefined;

export interface Relayout {
  /** Types that were compared. */
  compared: number;
  /** The compiler's first complaint, or what differs, a line each. */
  faults: string[];
}

/** Compiles `header`, the C of `btf`, and compares the layout of every type that has a name of its own. */
export const relayout = (btf: Btf, header: string, compile: Compile, folder: string): Relayout => {
  const types = [...named(btf)];
  if (types.length === 0) return { compared: 0, faults: [] };
  const source = join(folder, 'relayout.c');
  const object = join(folder, 'relayout.o');
  const uses = types.map(([name], i) => `${name} *bpftool_use_${i};`);
  writeFileSync(source, `${header}\n${uses.join('\n')}\n`);
  const problem = compile(source, object);
  if (problem !== undefined) return { compared: 0, faults: [problem] };
  const again = parseBtfFile(readFileSync(object), object);
  const faults: string[] = [];
  const back = named(again);
  for (const [name, id] of types) {
    const other = back.get(name);
    const was = describe(btf, id, true);
    const is = other === undefined ? 'nothing' : describe(again, other, true);
    if (was !== is) faults.push(`${name}: ${was} became ${is}`);
  }
  return { compared: types.length, faults };
};
