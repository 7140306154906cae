// A skeleton in C: the header that bpftool 7.8 writes, byte for byte. It is used with libbpf, not with this library.
import { type Btf, BtfError } from '../btf/btf.ts';
import type { Declarations } from '../btf/c/declare.ts';
import { CEmitter } from '../btf/c/emit.ts';
import { BTF_KIND, LINKAGE } from '../btf/kinds.ts';
import { MAP_TYPE } from '../isa/uapi.ts';
import { MAP_FLAG } from './maps.ts';
import { ASSERTS, CREATE, ELF_BYTES, HEAD, METHODS, OPEN, programSkeletons } from './skeleton-c-text.ts';
import { entryPrograms, type MapSpec, type ObjectSpec } from './spec.ts';

/** Parts of a map's name by which data maps are recognised, in this order. */
const SUFFIXES: readonly string[] = ['.data', '.rodata', '.bss', '.kconfig'];
/** Bytes of `struct bpf_map_skeleton` without and with its link. */
const MAP_SKELETON = { plain: 24, withLink: 32 } as const;
/** Longest identifier of a variable. */
const MAX_IDENTIFIER = 255;
const HEX_WIDTH = 78;

const identifier = (name: string): string => name.replace(/[^A-Za-z0-9_]/g, '_');

/** Name of a map's member; undefined for data maps that nobody recognises. */
function mapIdentifier(map: MapSpec): string | undefined {
  if (map.kind === 'user' || map.kind === 'struct_ops') return map.name;
  for (const suffix of SUFFIXES) {
    const at = map.name.indexOf(suffix);
    if (at >= 0) return identifier(map.name.slice(at + 1));
  }
  return undefined;
}

/** Name of a data section's struct; undefined for other sections. */
function sectionIdentifier(section: string): string | undefined {
  if (section === '.addr_space.1') return 'arena';
  return SUFFIXES.some((prefix) => section.startsWith(prefix)) ? identifier(section.slice(1)) : undefined;
}

/** A map whose memory the skeleton shows, and its member's name. */
interface MappedMap {
  name: string;
  /** DATASEC, 0 when BTF has none. */
  section: number;
}

/** A sentence that goes to the user beside the text. */
export type Complain = (text: string) => void;

class SkeletonWriter {
  private readonly object: ObjectSpec;
  private readonly name: string;
  private readonly bytes: Uint8Array;
  private readonly maps: { map: MapSpec; name: string }[] = [];
  private readonly programs: string[];
  private text = '';

  constructor(object: ObjectSpec, bytes: Uint8Array, name: string, complain: Complain) {
    this.object = object;
    this.bytes = bytes;
    this.name = name;
    this.programs = entryPrograms(object).map((p) => p.name);
    for (const map of object.maps) {
      const member = mapIdentifier(map);
      if (member === undefined) complain(`ignoring unrecognized internal map '${map.name}'...`);
      else this.maps.push({ map, name: member });
    }
  }

  write(): string {
    const { name, object } = this;
    const guard = `__${name}_SKEL_H__`.toUpperCase();
    this.text = HEAD(name, guard);
    this.mapMembers();
    if (object.btf) this.shadowTypes(object.btf);
    this.programMembers();
    if (object.btf) this.dataMembers(object.btf);
    this.text += METHODS(name) + OPEN(name, this.shadowInit()) + CREATE(name);
    this.text += this.mapSkeletons() + programSkeletons(this.programs);
    this.text += ELF_BYTES(name, hexText(this.bytes));
    if (object.btf) this.text += ASSERTS(name, this.asserts(object.btf));
    return `${this.text}\n#endif /* ${guard} */\n`;
  }

  private mapMembers(): void {
    if (this.maps.length === 0) return;
    this.text += '\tstruct {\n';
    for (const { name } of this.maps) this.text += `\t\tstruct bpf_map *${name};\n`;
    this.text += '\t} maps;\n';
  }

  private get structOps(): { map: MapSpec; name: string }[] {
    return this.maps.filter(({ map }) => map.kind === 'struct_ops');
  }

  /** Structs through which programs and numbers of struct_ops maps are set before the load. */
  private shadowTypes(btf: Btf): void {
    const maps = this.structOps;
    if (maps.length === 0) return;
    this.text += '\tstruct {\n';
    for (const { map, name } of maps) {
      const type = map.btfValueTypeId;
      this.text += `\t\tstruct ${this.name}__${name}__${btf.name(type)} {\n`;
      this.shadowMembers(btf, type);
      this.text += `\t\t} *${name};\n`;
    }
    this.text += '\t} struct_ops;\n';
  }

  private shadowMembers(btf: Btf, struct: number): void {
    const declarations = declarationsOf(btf);
    let end = 0;
    for (let i = 0; i < btf.vlen(struct); i++) {
      const type = btf.skipModsAndTypedefs(btf.memberType(struct, i));
      const member = btf.memberName(struct, i);
      const offset = Math.floor(btf.memberBitOffset(struct, i) / 8);
      const size = btf.resolveSize(type);
      if (size < 0) throw new BtfError(`Failed to resolve size of ${member}: -22`);
      if (end < offset) this.text += `\t\t\tchar __padding_${i}[${offset - end}];\n`;
      const kind = btf.kind(type);
      const pointsToFunction =
        kind === BTF_KIND.PTR && btf.kind(btf.skipModsAndTypedefs(btf.type(type))) === BTF_KIND.FUNC_PROTO;
      const isScalar =
        kind === BTF_KIND.INT || kind === BTF_KIND.FLOAT || kind === BTF_KIND.ENUM || kind === BTF_KIND.ENUM64;
      if (isScalar) this.text += `\t\t\t${declarations.declare(type, member, 3)};\n`;
      else if (pointsToFunction) this.text += `\t\t\tstruct bpf_program *${member};\n`;
      else this.text += `\t\t\tchar __unsupported_${i}[${size}];\n`;
      end = offset + size;
    }
    if (end < btf.size(struct)) this.text += `\t\t\tchar __padding_end[${btf.size(struct) - end}];\n`;
  }

  private shadowInit(): string {
    return this.object.btf
      ? this.structOps
          .map(
            ({ name }) =>
              `\tobj->struct_ops.${name} = (__typeof__(obj->struct_ops.${name}))\n` +
              `\t\tbpf_map__initial_value(obj->maps.${name}, NULL);\n\n`,
          )
          .join('')
      : '';
  }

  private programMembers(): void {
    if (this.programs.length) {
      this.text += '\tstruct {\n';
      for (const name of this.programs) this.text += `\t\tstruct bpf_program *${name};\n`;
      this.text += '\t} progs;\n';
    }
    const links = [...this.programs, ...this.structOps.map(({ name }) => name)];
    if (links.length === 0) return;
    this.text += '\tstruct {\n';
    for (const name of links) this.text += `\t\tstruct bpf_link *${name};\n`;
    this.text += '\t} links;\n';
  }

  /** Name of the member that shows a map's memory; undefined for maps that are not mapped. */
  private mappedName(map: MapSpec): string | undefined {
    if (map.type === MAP_TYPE.arena && this.object.arenaData) return 'arena';
    const internal = map.kind !== 'user' && map.kind !== 'struct_ops';
    return internal && map.flags & MAP_FLAG.MMAPABLE ? mapIdentifier(map) : undefined;
  }

  private mapped(btf: Btf): MappedMap[] {
    const out: MappedMap[] = [];
    for (const map of this.object.maps) {
      const name = this.mappedName(map);
      if (name === undefined) continue;
      let section = 0;
      for (let id = 1; id < btf.count && !section; id++) {
        if (btf.kind(id) === BTF_KIND.DATASEC && sectionIdentifier(btf.name(id)) === name) section = id;
      }
      out.push({ name, section });
    }
    return out;
  }

  private dataMembers(btf: Btf): void {
    const declarations = declarationsOf(btf);
    for (const { name, section } of this.mapped(btf)) {
      this.text += `\tstruct ${this.name}__${name} {\n`;
      if (section) this.variables(btf, declarations, section);
      this.text += `\t} *${name};\n`;
    }
  }

  private variables(btf: Btf, declarations: Declarations, section: number): void {
    const sectionName = btf.name(section);
    const keepQualifiers = sectionName === '.kconfig';
    let end = 0;
    let pads = 0;
    for (let i = 0; i < btf.vlen(section); i++) {
      const variable = btf.secType(section, i);
      if (btf.linkage(variable) === LINKAGE.STATIC) continue;
      const offset = btf.secOffset(section, i);
      if (end > offset) {
        throw new BtfError(
          `Something is wrong for ${sectionName}'s variable #${i}: need offset ${offset}, already at ${end}.\n`,
        );
      }
      const align = btf.align(btf.type(variable));
      if (align <= 0) {
        throw new BtfError(`Failed to determine alignment of variable '${btf.name(variable)}': ${align}`);
      }
      // As on a machine with 4-byte words, so that padding is written out wherever it could differ.
      const step = Math.min(align, 4);
      if (Math.ceil(end / step) * step !== offset) this.text += `\t\tchar __pad${pads++}[${offset - end}];\n`;
      const member = identifier(btf.name(variable).slice(0, MAX_IDENTIFIER));
      const type = btf.type(variable);
      const declaration = keepQualifiers
        ? declarations.declare(type, member, 2)
        : declarations.declareUnqualified(type, member, 2);
      this.text += `\t\t${declaration};\n`;
      end = offset + btf.secSize(section, i);
    }
  }

  private mapSkeletons(): string {
    if (this.maps.length === 0) return '';
    const size = this.structOps.length ? MAP_SKELETON.withLink : MAP_SKELETON.plain;
    let text =
      `\n\t/* maps */\n\ts->map_cnt = ${this.maps.length};\n\ts->map_skel_sz = ${size};\n` +
      '\ts->maps = (struct bpf_map_skeleton *)calloc(s->map_cnt,\n' +
      `\t\t\tsizeof(*s->maps) > ${size} ? sizeof(*s->maps) : ${size});\n` +
      '\tif (!s->maps) {\n\t\terr = -ENOMEM;\n\t\tgoto err;\n\t}\n';
    this.maps.forEach(({ map, name }, i) => {
      text +=
        `\n\tmap = (struct bpf_map_skeleton *)((char *)s->maps + ${i} * s->map_skel_sz);\n` +
        `\tmap->name = "${map.name}";\n\tmap->map = &obj->maps.${name};\n`;
      const mapped = this.mappedName(map);
      if (mapped !== undefined) text += `\tmap->mmaped = (void **)&obj->${mapped};\n`;
      if (map.kind === 'struct_ops') text += `\tmap->link = &obj->links.${name};\n`;
    });
    return text;
  }

  private asserts(btf: Btf): string {
    let text = '';
    for (const { name, section } of this.mapped(btf)) {
      for (let i = 0; section && i < btf.vlen(section); i++) {
        const variable = btf.secType(section, i);
        if (btf.linkage(variable) === LINKAGE.STATIC) continue;
        const size = btf.resolveSize(btf.type(variable));
        if (size < 0) continue;
        const member = identifier(btf.name(variable).slice(0, MAX_IDENTIFIER));
        text += `\t_Static_assert(sizeof(s->${name}->${member}) == ${size}, "unexpected size of '${member}'");\n`;
      }
    }
    return text;
  }
}

/** Declarations of one BTF, whose names are counted from the beginning. */
const declarationsOf = (btf: Btf): Declarations =>
  new CEmitter(btf, { write: () => undefined, warn: () => undefined }).declarations;

/** Bytes as in a C string that goes over many lines. */
function hexText(bytes: Uint8Array): string {
  const pieces: string[] = [];
  let width = 0;
  for (const byte of bytes) {
    const piece = byte === 0 ? '\\0' : `\\x${byte.toString(16).padStart(2, '0')}`;
    width += piece.length;
    if (width > HEX_WIDTH) {
      pieces.push('\\\n');
      width = piece.length;
    }
    pieces.push(piece);
  }
  return pieces.join('');
}

/**
 * The C header for an object whose name is `name`. Throws BtfError for data sections that have no C struct. Rule:
 * bpftool 7.8.
 */
export const skeletonHeader = (object: ObjectSpec, bytes: Uint8Array, name: string, complain: Complain): string =>
  new SkeletonWriter(object, bytes, name, complain).write();
