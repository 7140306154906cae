// bpftool-ts btf layout (ours)
import type { Btf } from '../../src/btf/btf.ts';
import { isComposite } from '../../src/btf/kinds.ts';
import { CACHE_LINE, type MemberLayout, type StructLayout, structLayout } from '../../src/btf/struct-layout.ts';
import { ERRNO } from '../../src/errno.ts';
import type { JsonWriter } from '../../src/print/json.ts';
import { CliError, type CommandContext, errnoStatus } from '../command.ts';
import { onTypes, takeBtf } from './side.ts';

/** Column at which the comments begin. */
const COLUMN = 56;
const TAB = 8;

/** Ids of the structs and unions of a name; a typedef stands for what it names. */
const findTypes = (btf: Btf, name: string): number[] => {
  const ids = btf.findAll(name).map((id) => btf.skipModsAndTypedefs(id));
  return [...new Set(ids)].filter((id) => isComposite(btf.kind(id)));
};

/** Writes one layout the way pahole does. */
class LayoutText {
  private readonly write: (text: string) => void;
  private line = 0;

  constructor(write: (text: string) => void) {
    this.write = write;
  }

  private commented(level: number, text: string, comment: string): void {
    const width = COLUMN - TAB * level;
    this.write(`${'\t'.repeat(level)}${text.padEnd(width)} /* ${comment} */\n`);
  }

  /** The border of a cache line that lies at the member's beginning or was passed by the one before. */
  private border(level: number, offset: number): void {
    const line = Math.floor(offset / CACHE_LINE);
    if (line <= this.line) return;
    this.line = line;
    const at = line * CACHE_LINE;
    const ago = offset > at ? ` was ${offset - at} bytes ago` : '';
    this.write(`${'\t'.repeat(level)}/* --- cacheline ${line} boundary (${at} bytes)${ago} --- */\n`);
  }

  private member(member: MemberLayout, level: number): void {
    this.border(level, member.offset);
    const bits = member.bitOffset === undefined ? '' : `:${String(member.bitOffset).padStart(2)}`;
    const place = String(member.offset).padStart(5) + bits + String(member.size).padStart(6 - bits.length);
    if (member.members) {
      const [word, ...name] = member.declaration.split(' ');
      this.write(`${'\t'.repeat(level)}${word} {\n`);
      for (const inner of member.members) this.member(inner, level + 1);
      this.commented(level, `}${name.length ? ` ${name.join(' ')}` : ''};`, place);
    } else {
      this.commented(level, `${member.declaration};`, place);
    }
    const hole = (size: number, unit: string): string =>
      `${'\t'.repeat(level)}/* XXX ${size} ${unit}${size === 1 ? '' : 's'} hole, try to pack */\n`;
    const holes = (member.bitHole ? hole(member.bitHole, 'bit') : '') + (member.hole ? hole(member.hole, 'byte') : '');
    if (holes) this.write(`\n${holes}\n`);
  }

  type(layout: StructLayout): void {
    this.write(`${layout.kind} ${layout.name ? `${layout.name} ` : ''}{\n`);
    for (const member of layout.members) this.member(member, 1);
    const note = (text: string): void => this.write(`\t/* ${text} */\n`);
    this.write('\n');
    note(`size: ${layout.size}, cachelines: ${layout.cacheLines}, members: ${layout.members.length}`);
    if (layout.holes) {
      note(`sum members: ${layout.sumMembers}, holes: ${layout.holes}, sum holes: ${layout.sumHoles}`);
    }
    if (layout.bitHoles) {
      const holes = `bit holes: ${layout.bitHoles}, sum bit holes: ${layout.sumBitHoles} bits`;
      note(`sum bitfield members: ${layout.sumBits} bits, ${holes}`);
    }
    if (layout.padding) note(`padding: ${layout.padding}`);
    if (layout.bitPadding) note(`bit_padding: ${layout.bitPadding} bits`);
    const last = layout.size % CACHE_LINE;
    if (last) note(`last cacheline: ${last} bytes`);
    this.write('};\n');
  }
}

const writeMember = (json: JsonWriter, member: MemberLayout): void => {
  json.startObject().field('name', member.name).field('type', member.type);
  json.field('offset', member.offset).field('size', member.size);
  if (member.bitSize !== undefined) {
    json.field('bit_offset', member.bitOffset ?? 0).field('bit_size', member.bitSize);
  }
  if (member.hole) json.field('hole', member.hole);
  if (member.bitHole) json.field('bit_hole', member.bitHole);
  if (member.members) {
    json.name('members').startArray();
    for (const inner of member.members) writeMember(json, inner);
    json.endArray();
  }
  json.endObject();
};

const writeJson = (json: JsonWriter, layout: StructLayout): void => {
  json.startObject().field('kind', layout.kind).field('name', layout.name).field('size', layout.size);
  json.field('cachelines', layout.cacheLines).name('members').startArray();
  for (const member of layout.members) writeMember(json, member);
  json.endArray();
  json.field('sum_members', layout.sumMembers).field('sum_bits', layout.sumBits);
  json.field('holes', layout.holes).field('sum_holes', layout.sumHoles);
  json.field('bit_holes', layout.bitHoles).field('sum_bit_holes', layout.sumBitHoles);
  json.field('padding', layout.padding).field('bit_padding', layout.bitPadding).endObject();
};

/** btf layout SOURCE TYPE…: offsets, sizes and holes of structs and unions. */
export function layout(context: CommandContext, words: string[]): void {
  const btf = takeBtf(context, words, 'layout');
  if (words.length === 0) throw new CliError('layout needs the name of a type');
  const layouts = words.flatMap((name) => {
    const ids = findTypes(btf, name);
    if (ids.length === 0) throw new CliError(`no struct or union '${name}'`, errnoStatus(ERRNO.ENOENT));
    return ids.map((id) => onTypes(() => structLayout(btf, id)));
  });
  const { json } = context;
  if (json) {
    json.startArray();
    for (const one of layouts) writeJson(json, one);
    json.endArray();
    return;
  }
  layouts.forEach((one, i) => {
    if (i > 0) context.out('\n');
    let text = '';
    new LayoutText((piece) => {
      text += piece;
    }).type(one);
    context.out(text);
  });
}
