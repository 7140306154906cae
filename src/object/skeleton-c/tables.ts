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

const HEX = Buffer.from('0123456789abcdef');
const [BACKSLASH, ZERO, X, NEWLINE] = Buffer.from('\\0x\n');
/** Bytes that are written down at a time, and the most that one of them becomes: four letters and half a line's end. */
const CHUNK = 1 << 16;
const MAX_LETTERS = 5;

/** Bytes as the inside of a C string, lines joined by backslashes. */
export const escapedBytes = (bytes: Uint8Array): string => {
  const out = Buffer.allocUnsafe(Math.min(bytes.length, CHUNK) * MAX_LETTERS);
  const pieces: string[] = [];
  let width = 0;
  for (let from = 0; from < bytes.length; from += CHUNK) {
    let end = 0;
    for (const byte of bytes.subarray(from, from + CHUNK)) {
      const letters = byte ? 4 : 2;
      width += letters;
      if (width > MAX_WIDTH) {
        out[end++] = BACKSLASH;
        out[end++] = NEWLINE;
        width = letters;
      }
      out[end++] = BACKSLASH;
      if (byte) {
        out[end++] = X;
        out[end++] = HEX[byte >> 4];
        out[end++] = HEX[byte & 15];
      } else {
        out[end++] = ZERO;
      }
    }
    pieces.push(out.toString('latin1', 0, end));
  }
  return pieces.join('');
};
