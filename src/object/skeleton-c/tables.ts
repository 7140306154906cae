// Code of a C skeleton that fills libbpf's tables of maps and programs. Rule: bpftool 7.8, gen.c.
import { entryPrograms, type ObjectSpec } from '../spec.ts';
import { isStructOps, mapName, mappedIdentifier, namedMaps } from './object-names.ts';

/** Bytes of struct bpf_map_skeleton without and with its last field, which only struct_ops maps need. */
const MAP_BYTES = 24;
const MAP_BYTES_WITH_LINK = 32;

/** What a table says besides names: memory of data sections, links. */
export interface TableOptions {
  mapped: boolean;
  links: boolean;
}

const GIVE_UP = `{
\t\terr = -ENOMEM;
\t\tgoto err;
\t}
`;

export const mapTable = (object: ObjectSpec, options: TableOptions): string => {
  const maps = namedMaps(object);
  if (maps.length === 0) return '';
  const bytes = options.links && object.maps.some(isStructOps) ? MAP_BYTES_WITH_LINK : MAP_BYTES;
  let text = `
\t/* maps */
\ts->map_cnt = ${maps.length};
\ts->map_skel_sz = ${bytes};
\ts->maps = (struct bpf_map_skeleton *)calloc(s->map_cnt,
\t\t\tsizeof(*s->maps) > ${bytes} ? sizeof(*s->maps) : ${bytes});
\tif (!s->maps) ${GIVE_UP}`;
  maps.forEach(({ map, ident }, i) => {
    text += `
\tmap = (struct bpf_map_skeleton *)((char *)s->maps + ${i} * s->map_skel_sz);
\tmap->name = "${mapName(map)}";
\tmap->map = &obj->maps.${ident};
`;
    const mapped = options.mapped ? mappedIdentifier(object, map) : undefined;
    if (mapped !== undefined) text += `\tmap->mmaped = (void **)&obj->${mapped};\n`;
    if (options.links && isStructOps(map)) text += `\tmap->link = &obj->links.${ident};\n`;
  });
  return text;
};

export const programTable = (object: ObjectSpec, links: boolean): string => {
  const programs = entryPrograms(object);
  if (programs.length === 0) return '';
  let text = `
\t/* programs */
\ts->prog_cnt = ${programs.length};
\ts->prog_skel_sz = sizeof(*s->progs);
\ts->progs = (struct bpf_prog_skeleton *)calloc(s->prog_cnt, s->prog_skel_sz);
\tif (!s->progs) ${GIVE_UP}`;
  programs.forEach(({ name }, i) => {
    text += `
\ts->progs[${i}].name = "${name}";
\ts->progs[${i}].prog = &obj->progs.${name};
`;
    if (links) text += `\ts->progs[${i}].link = &obj->links.${name};\n`;
  });
  return text;
};

/** `struct { TYPE *a; TYPE *b; } name;`; nothing without members. */
export const pointerStruct = (type: string, members: readonly string[], name: string): string =>
  members.length ? `\tstruct {\n${members.map((m) => `\t\tstruct ${type} *${m};\n`).join('')}\t} ${name};\n` : '';

/** Widest line of escaped bytes. */
const MAX_WIDTH = 78;

/** Each byte as it stands in a C string. */
const ESCAPES: readonly string[] = Array.from({ length: 256 }, (_, byte) =>
  byte ? `\\x${byte.toString(16).padStart(2, '0')}` : '\\0',
);

/** Bytes as the inside of a C string, lines joined by backslashes. */
export const escapedBytes = (bytes: Uint8Array): string => {
  const lines: string[] = [];
  let line = '';
  for (const byte of bytes) {
    const piece = ESCAPES[byte];
    if (line.length + piece.length > MAX_WIDTH) {
      lines.push(line);
      line = '';
    }
    line += piece;
  }
  return [...lines, line].join('\\\n');
};
