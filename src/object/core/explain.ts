// Why a CO-RE relocation has no target, in words that name what the program's author wrote.
import type { Btf } from '../../btf/btf.ts';
import { isComposite } from '../../btf/kinds.ts';
import type { CoreRelo } from '../btf-ext.ts';
import { kindWord } from '../btf-words.ts';
import { essentialName } from '../essential-name.ts';
import { Messages } from '../print.ts';
import type { Candidate } from './candidates.ts';
import { isEnumRelo, isFieldRelo } from './kinds.ts';
import { matchSpec } from './match.ts';
import { type CoreSpec, parseSpec } from './spec.ts';

const SILENT = new Messages(undefined);
/** Nesting of anonymous members that is looked through. */
const MAX_DEPTH = 32;

const typeName = (btf: Btf, id: number): string => {
  const name = essentialName(btf.name(id));
  return name === '' ? `anonymous ${kindWord(btf, id)}` : `'${kindWord(btf, id)} ${name}'`;
};

/** What is found of the path in the candidate that has most of it. */
const nearest = (local: CoreSpec, candidates: readonly Candidate[]): CoreSpec | undefined => {
  let best: CoreSpec | undefined;
  for (const { btf, id } of candidates) {
    const { spec } = matchSpec(local, btf, id, SILENT);
    if (!best || spec.accessors.length > best.accessors.length) best = spec;
  }
  return best;
};

/** Type that the last step of a path leads to. */
const reached = ({ btf, accessors, rootTypeId }: CoreSpec): number => {
  const last = accessors.at(-1);
  const id = !last ? rootTypeId : last.name === undefined ? last.typeId : btf.memberType(last.typeId, last.index);
  return btf.skipModsAndTypedefs(id);
};

/** Whether a struct has a member of that name, in anonymous members too. */
const hasMember = (btf: Btf, id: number, name: string, depth = 0): boolean => {
  const type = btf.skipModsAndTypedefs(id);
  if (!isComposite(btf.kind(type)) || depth > MAX_DEPTH) return false;
  for (let i = 0; i < btf.vlen(type); i++) {
    const member = btf.memberName(type, i);
    if (member === name || (member === '' && hasMember(btf, btf.memberType(type, i), name, depth + 1))) return true;
  }
  return false;
};

const explainField = (local: CoreSpec, target: CoreSpec): string => {
  const missing = local.accessors[target.accessors.length];
  const container = reached(target);
  if (missing === undefined) return `a field of ${typeName(target.btf, target.rootTypeId)} has another size`;
  const holder = typeName(target.btf, container);
  if (missing.name === undefined) return `an array in ${holder} has no element ${missing.index}`;
  if (!hasMember(target.btf, container, missing.name)) return `${holder} has no field '${missing.name}'`;
  return `field '${missing.name}' of ${holder} is of a type that does not fit`;
};

/**
 * Says what of a relocation's type, field or enumerator the `candidates` lack; undefined where the relocation itself
 * makes no sense. This text is ours: libbpf tells only the path that was looked for.
 */
export const explainRelo = (local: Btf, relo: CoreRelo, candidates: readonly Candidate[]): string | undefined => {
  const spec = parseSpec(local, relo, '', SILENT);
  if (typeof spec === 'number') return undefined;
  const target = nearest(spec, candidates);
  if (!target) return `there is no type ${typeName(local, relo.typeId)}`;
  if (isFieldRelo(relo.kind)) return explainField(spec, target);
  const name = typeName(target.btf, target.rootTypeId);
  return isEnumRelo(relo.kind) ? `${name} has no enumerator '${spec.accessors[0].name}'` : `${name} does not fit`;
};
