// A skeleton in TypeScript: a class for one object, with its maps, programs and global variables by name and type.
import { BTF_KIND, type Btf } from '../btf/btf.ts';
import { MAP_TYPES } from '../isa/uapi.ts';
import { isChar } from '../skeleton/value-view.ts';
import { entryPrograms, type MapSpec, type ObjectSpec } from './spec.ts';

/** Data sections that become properties. */
const SECTION = /^\.(rodata|data|bss|kconfig)(\..*)?$/;
/** Name of the property: "rodata", or "data_named" of ".data.named". */
const sectionProperty = (section: string): string => section.slice(1).replace(/[^A-Za-z0-9_]/g, '_');

const IDENTIFIER = /^[A-Za-z_$][\w$]*$/;
const property = (name: string): string => (IDENTIFIER.test(name) ? name : `'${name.replace(/[\\']/g, '\\$&')}'`);
const pascal = (name: string): string => {
  const words = name.split(/[^A-Za-z0-9]+/).filter((w) => w !== '');
  const joined = words.map((w) => w[0].toUpperCase() + w.slice(1)).join('');
  return /^[A-Za-z]/.test(joined) ? joined : `Object${joined}`;
};
const indent = (text: string, by: string): string => text.replace(/\n/g, `\n${by}`);

/** Deeper than this a type is written as unknown: no C type that people write nests so. */
const MAX_DEPTH = 32;

/** TypeScript types for the types of one BTF; named structs become interfaces, written once. */
class TypeWriter {
  readonly interfaces = new Map<number, { name: string; text: string }>();
  private readonly btf: Btf;
  private readonly taken = new Set<string>();

  constructor(btf: Btf, reserved: Iterable<string>) {
    this.btf = btf;
    for (const name of reserved) this.taken.add(name);
  }

  private freeName(wanted: string): string {
    let name = wanted;
    for (let i = 2; this.taken.has(name); i++) name = `${wanted}${i}`;
    this.taken.add(name);
    return name;
  }

  of(id: number, depth = 0): string {
    const { btf } = this;
    const type = btf.skipModsAndTypedefs(id);
    if (depth > MAX_DEPTH) return 'unknown';
    switch (btf.kind(type)) {
      case BTF_KIND.INT:
        if (btf.intEncoding(type) & 4) return 'boolean';
        return btf.size(type) > 4 ? 'bigint' : 'number';
      case BTF_KIND.ENUM:
      case BTF_KIND.ENUM64:
        return btf.size(type) > 4 ? 'bigint' : 'number';
      case BTF_KIND.PTR:
        return 'bigint';
      case BTF_KIND.FLOAT:
        return 'number';
      case BTF_KIND.ARRAY:
        if (isChar(btf, btf.arrayElem(type))) return 'string';
        return `ArrayView<${this.of(btf.arrayElem(type), depth + 1)}>`;
      case BTF_KIND.STRUCT:
      case BTF_KIND.UNION:
        return btf.name(type) ? this.named(type) : this.body(type, depth);
      case BTF_KIND.DATASEC:
        return this.body(type, depth);
      default:
        return 'unknown';
    }
  }

  /** The interface of a named struct. */
  private named(type: number): string {
    let made = this.interfaces.get(type);
    if (!made) {
      made = { name: this.freeName(pascal(this.btf.name(type))), text: '' };
      this.interfaces.set(type, made);
      made.text = this.body(type, 0);
    }
    return made.name;
  }

  private body(type: number, depth: number): string {
    const lines = [...this.members(type, depth)].map(([name, text]) => `  ${property(name)}: ${indent(text, '  ')};\n`);
    return `{\n${lines.join('')}}`;
  }

  private *members(type: number, depth: number): Generator<[string, string]> {
    const { btf } = this;
    for (let i = 0; i < btf.vlen(type); i++) {
      if (btf.kind(type) === BTF_KIND.DATASEC) {
        const variable = btf.secType(type, i);
        if (btf.kind(variable) === BTF_KIND.VAR) yield [btf.name(variable), this.of(btf.type(variable), depth + 1)];
        continue;
      }
      const name = btf.memberName(type, i);
      const bits = btf.memberBitSize(type, i);
      const member = btf.memberType(type, i);
      if (name !== '') yield [name, bits === 0 ? this.of(member, depth + 1) : bits > 32 ? 'bigint' : 'number'];
      else if (bits === 0 && depth <= MAX_DEPTH) yield* this.members(btf.skipModsAndTypedefs(member), depth + 1);
    }
  }
}

/** Types of a map's key and value. */
function mapTypes(map: MapSpec, types: TypeWriter | undefined): string {
  const key = types && map.btfKeyTypeId ? types.of(map.btfKeyTypeId) : 'Uint8Array';
  const value = types && map.btfValueTypeId ? types.of(map.btfValueTypeId) : 'Uint8Array';
  return `<${key}, ${(MAP_TYPES[map.type] ?? '').includes('percpu') ? `(${value})[]` : value}>`;
}

const BASE64_WIDTH = 120;

/**
 * The source of a skeleton. `name` is the object's name as an identifier, `library` the module that it imports.
 * Views of the data sections have the names and the nesting of the object's BTF.
 */
export const skeletonSource = (object: ObjectSpec, bytes: Uint8Array, name: string, library = 'bpftool-ts'): string =>
  skeletonClass(object, name, {
    library,
    command: 'gen skeleton',
    base: 'Skeleton',
    arguments: `${quoted(name)}, OBJECT`,
    constants: base64Constant('OBJECT', 'The object file', bytes),
  });

/** What makes one kind of skeleton different from another. */
export interface SkeletonKind {
  /** Module that the source imports. */
  library: string;
  command: string;
  /** Class that it extends, and the arguments of its constructor. */
  base: string;
  arguments: string;
  /** Source of what those arguments name, and types that it needs from the library. */
  constants: string;
  types?: readonly string[];
}

/** A text in single quotes. */
export const quoted = (text: string): string => `'${text.replace(/[\\']/g, '\\$&')}'`;

/** A constant with bytes in base64. */
export function base64Constant(constant: string, what: string, bytes: Uint8Array): string {
  const chunks =
    Buffer.from(bytes)
      .toString('base64')
      .match(new RegExp(`.{1,${BASE64_WIDTH}}`, 'g')) ?? [];
  return `/** ${what}, base64. */
const ${constant} = [
${chunks.map((c) => `  '${c}',\n`).join('')}].join('');
`;
}

/** The class of a skeleton, with the objects' names and types. */
export function skeletonClass(object: ObjectSpec, name: string, kind: SkeletonKind): string {
  const className = pascal(name);
  const types =
    object.btf && new TypeWriter(object.btf, [className, 'ArrayView', kind.base, 'SkeletonMap', 'SkeletonProgram']);
  const programs = entryPrograms(object).map((p) => p.name);
  const sections = object.maps.filter((m) => SECTION.test(m.section) && m.kind !== 'user' && m.btfValueTypeId !== 0);
  const maps = object.maps.filter((m) => m.kind === 'user');

  const mapLines = maps.map(
    (m) => `    ${property(m.name)}: this.map${indent(mapTypes(m, types), '    ')}(${quoted(m.name)}),\n`,
  );
  const progLines = programs.map((p) => `    ${property(p)}: this.program(${quoted(p)}),\n`);
  const sectionLines = sections.map((m) => {
    const type = indent(types?.of(m.btfValueTypeId) ?? 'unknown', '  ');
    return `  /** Variables of ${m.section}. */\n  readonly ${sectionProperty(m.section)} = this.section<${type}>(${quoted(m.section)});\n\n`;
  });
  const interfaces = [...(types?.interfaces.values() ?? [])].map((i) => `export interface ${i.name} ${i.text}\n\n`);

  const body = [
    mapLines.length
      ? `  /** Maps by name. */\n  readonly maps = {\n${mapLines.join('')}  };\n\n`
      : '  readonly maps = {};\n\n',
    progLines.length
      ? `  /** Programs by name. */\n  readonly progs = {\n${progLines.join('')}  };\n\n`
      : '  readonly progs = {};\n\n',
    ...sectionLines,
  ].join('');
  const source = interfaces.join('') + body;
  const used = [...(source.includes('ArrayView<') ? ['ArrayView'] : []), ...(kind.types ?? [])];
  const imports = [kind.base, ...used.map((type) => `type ${type}`)].sort((a, b) =>
    a.replace('type ', '').localeCompare(b.replace('type ', '')),
  );
  return `// Made by \`bpftool ${kind.command}\`. Changes are lost when it is made again.
import { ${imports.join(', ')} } from ${quoted(kind.library)};

${interfaces.join('')}/** The object ${object.name}: open() it, set what is to be set, load() it into a kernel. */
export class ${className} extends ${kind.base} {
${body}  private constructor() {
    super(${kind.arguments});
  }

  /** Reads the object; nothing is loaded yet. */
  static open(): ${className} {
    return new ${className}();
  }
}

${kind.constants}`;
}
