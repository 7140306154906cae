// A light skeleton in TypeScript: a class with the loader program of one object. It needs neither the object file nor
// what reads and links it.
import { base64Constant, quoted, skeletonClass } from '../skeleton-ts.ts';
import { entryPrograms, type ObjectSpec, type ProgramSpec } from '../spec.ts';
import type { Generated } from './generate.ts';

/** A number, a text, a list or an object on one line, as TypeScript; what is undefined is left out. */
const literal = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map(literal).join(', ')}]`;
  if (typeof value === 'string') return quoted(value);
  if (typeof value !== 'object' || value === null) return String(value);
  const fields = Object.entries(value).filter(([, field]) => field !== undefined);
  return `{ ${fields.map(([name, field]) => `${name}: ${literal(field)}`).join(', ')} }`;
};

const list = (name: string, values: readonly unknown[]): string =>
  values.length
    ? `  ${name}: [\n${values.map((value) => `    ${literal(value)},\n`).join('')}  ],\n`
    : `  ${name}: [],\n`;

/** What the class must know of the object: places in the data are [offset, size]. */
const shape = (object: ObjectSpec, name: string, { btfAt, contentsAt }: Generated): string => {
  const programs = entryPrograms(object);
  const maps = object.maps.map((map, i) => ({
    name: map.name,
    section: map.section || undefined,
    type: map.type,
    keySize: map.keySize,
    valueSize: map.valueSize,
    btfKeyTypeId: map.btfKeyTypeId,
    btfValueTypeId: map.btfValueTypeId,
    contents: contentsAt.get(i),
  }));
  const names = (of: readonly ProgramSpec[]): string[] => of.map((program) => program.name);
  return `{
  name: ${quoted(name)},
${btfAt ? `  btf: ${literal(btfAt)},\n` : ''}${list('maps', maps)}${list('programs', names(programs))}${list(
  'loaded',
  names(programs.filter(({ autoload }) => autoload)),
)}}`;
};

/** The source; `library` is the module that it imports. */
export const lightSkeletonSource = (
  object: ObjectSpec,
  name: string,
  loader: Generated,
  library = 'bpftool-ts',
): string =>
  skeletonClass(object, name, {
    library,
    command: 'gen skeleton -L',
    base: 'LightSkeleton',
    types: ['LightShape'],
    arguments: 'SHAPE, DATA, INSNS',
    constants: `/** What the loader makes, in its order. */
const SHAPE: LightShape = ${shape(object, name, loader)};

${base64Constant('DATA', "Data of the loader: the objects' BTF, instructions and contents", loader.data)}
${base64Constant('INSNS', 'Instructions of the loader', loader.insns)}`,
  });
