// bpftool-ts btf diff (ours)
import { type Difference, diffBtf, type MemberPlace, type TypeDifference, type TypeShape } from '../../src/btf/diff.ts';
import { ERRNO } from '../../src/errno.ts';
import type { JsonWriter } from '../../src/print/json.ts';
import { CliError, type CommandContext, errnoStatus, SilentFailure } from '../command.ts';
import { onTypes, takeBtf } from './side.ts';

/** Exit status when something differs, as that of diff(1). */
const DIFFERENT = 1;

const SIGNS = { added: '+', removed: '-', changed: '~' } as const;

const wordOf = (difference: Difference<unknown>): keyof typeof SIGNS =>
  difference.before === undefined ? 'added' : difference.after === undefined ? 'removed' : 'changed';

/** "12" bytes, or "12.3": bit 3 of byte 12. */
const offsetText = (place: MemberPlace): string => {
  const bit = place.bitOffset % 8;
  return `${Math.floor(place.bitOffset / 8)}${place.bitSize || bit ? `.${bit}` : ''}`;
};

const sizeText = ({ bitSize, size }: MemberPlace): string => (bitSize ? `${bitSize} bits` : `${size}`);

/** "offset 4 -> 8", where the two differ. */
const change = (what: string, before: string, after: string): string[] =>
  before === after ? [] : [`${what} ${before} -> ${after}`];

const memberText = ({ name, before, after }: Difference<MemberPlace>): string => {
  const place = (after ?? before) as MemberPlace;
  if (!before || !after) return `${name}: ${place.type}, offset ${offsetText(place)}, size ${sizeText(place)}`;
  const changes = [
    ...change('offset', offsetText(before), offsetText(after)),
    ...change('size', sizeText(before), sizeText(after)),
    ...change('type', `'${before.type}'`, `'${after.type}'`),
  ];
  return `${name}: ${changes.join(', ')}`;
};

const valueText = ({ name, before, after }: Difference<bigint>): string =>
  before === undefined || after === undefined ? `${name} = ${after ?? before}` : `${name}: ${before} -> ${after}`;

const typeText = (difference: TypeDifference): string => {
  const { kind, name, before, after, members, values } = difference;
  const shape = (after ?? before) as TypeShape;
  const size = (s: TypeShape): string => (s.size === undefined ? '' : String(s.size));
  const changes =
    before && after
      ? [
          ...change('size', size(before), size(after)),
          ...change('', `'${before.definition ?? ''}'`, `'${after.definition ?? ''}'`).map((text) => text.trim()),
        ]
      : [
          ...(shape.size === undefined ? [] : [`size ${shape.size}`]),
          ...(shape.definition ? [`'${shape.definition}'`] : []),
        ];
  let text = `${SIGNS[wordOf(difference)]} ${kind} ${name}${changes.length ? `: ${changes.join(', ')}` : ''}\n`;
  for (const member of members) text += `    ${SIGNS[wordOf(member)]} ${memberText(member)}\n`;
  for (const value of values) text += `    ${SIGNS[wordOf(value)]} ${valueText(value)}\n`;
  return text;
};

const writePlace = (json: JsonWriter, side: string, place: MemberPlace | undefined): void => {
  if (!place) return;
  json.name(side).startObject().field('type', place.type).field('bits_offset', place.bitOffset);
  if (place.bitSize) json.field('bitfield_size', place.bitSize);
  json.field('size', place.size).endObject();
};

const writeShape = (json: JsonWriter, side: string, shape: TypeShape | undefined): void => {
  if (!shape) return;
  json.name(side).startObject();
  if (shape.size !== undefined) json.field('size', shape.size);
  if (shape.definition !== undefined) json.field('definition', shape.definition);
  json.endObject();
};

const writeJson = (json: JsonWriter, difference: TypeDifference): void => {
  const { kind, name, before, after, members, values } = difference;
  json.startObject().field('change', wordOf(difference)).field('kind', kind).field('name', name);
  writeShape(json, 'before', before);
  writeShape(json, 'after', after);
  if (members.length) {
    json.name('members').startArray();
    for (const member of members) {
      json.startObject().field('change', wordOf(member)).field('name', member.name);
      writePlace(json, 'before', member.before);
      writePlace(json, 'after', member.after);
      json.endObject();
    }
    json.endArray();
  }
  if (values.length) {
    json.name('values').startArray();
    for (const value of values) {
      json.startObject().field('change', wordOf(value)).field('name', value.name);
      if (value.before !== undefined) json.field('before', value.before);
      if (value.after !== undefined) json.field('after', value.after);
      json.endObject();
    }
    json.endArray();
  }
  json.endObject();
};

/** btf diff A B [TYPE…]: what changed from A to B; exit status 1 when anything did. */
export function diff(context: CommandContext, words: string[]): void {
  const before = takeBtf(context, words, 'diff');
  const after = takeBtf(context, words, 'diff');
  for (const name of words) {
    if (before.find(name) || after.find(name)) continue;
    throw new CliError(`no type '${name}' on either side`, errnoStatus(ERRNO.ENOENT));
  }
  const found = onTypes(() => diffBtf(before, after, words));
  const { json } = context;
  if (json) {
    json.startArray();
    for (const difference of found) writeJson(json, difference);
    json.endArray();
  } else {
    for (const difference of found) context.out(typeText(difference));
  }
  if (found.length) throw new SilentFailure(DIFFERENT);
}
