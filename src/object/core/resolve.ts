// One CO-RE relocation: its path, the candidates for it, and the value on which all of them agree.
import type { Btf } from '../../btf/btf.ts';
import type { CoreRelo } from '../btf-ext.ts';
import { kindWord } from '../btf-words.ts';
import type { Messages } from '../print.ts';
import { type CoreResult, calculate } from './calc.ts';
import type { Candidate } from './candidates.ts';
import { CORE, coreWord } from './kinds.ts';
import { matchSpec } from './match.ts';
import { type CoreSpec, formatSpec, parseSpec } from './spec.ts';

const EINVAL = -22;
const EOPNOTSUPP = -95;
/** Messages cut a path to this. */
const SPEC_TEXT = 255;

/**
 * Calculates a relocation; a negative errno when it cannot be done. `candidates` is shortened to those that match,
 * when any does. `index` is the number of the relocation in its section. Rule: libbpf 1.8.
 */
export function resolveRelo(
  local: Btf,
  relo: CoreRelo,
  index: number,
  candidates: Candidate[],
  program: string,
  messages: Messages,
): CoreResult | number {
  const name = `prog '${program}': relo #${index}: `;
  const localName = local.name(relo.typeId);
  const spec = parseSpec(local, relo, program, messages);
  if (typeof spec === 'number') {
    messages.warn(
      `${name}parsing [${relo.typeId}] ${kindWord(local, relo.typeId)} ${localName || '<anon>'} + ` +
        `${local.str(relo.accessOffset)} failed: ${spec}`,
    );
    return EINVAL;
  }
  messages.debug(() => name + formatSpec(spec).slice(0, SPEC_TEXT));
  if (relo.kind === CORE.TYPE_ID_LOCAL) {
    const id = BigInt(relo.typeId);
    return { before: id, after: id, poison: false, validate: false, failSize: false, sizeBefore: 0, sizeAfter: 0 };
  }
  if (localName === '') {
    messages.warn(`${name}<${coreWord(relo.kind)}> (${relo.kind}) relocation doesn't support anonymous types`);
    return EOPNOTSUPP;
  }
  let chosen: { result: CoreResult; spec: CoreSpec } | undefined;
  const matching: Candidate[] = [];
  for (let i = 0; i < candidates.length; i++) {
    const candidate = candidates[i];
    const match = matchSpec(spec, candidate.btf, candidate.id, messages);
    const text = (): string => formatSpec(match.spec).slice(0, SPEC_TEXT);
    if (match.result < 0) {
      messages.warn(`${name}error matching candidate #${i} ${text()}: ${match.result}`);
      return match.result;
    }
    messages.debug(() => `${name}${match.result === 0 ? 'non-matching' : 'matching'} candidate #${i} ${text()}`);
    if (match.result === 0) continue;
    const result = calculate(relo, index, spec, match.spec, program, messages);
    if (typeof result === 'number') return result;
    if (!chosen) {
      chosen = { result, spec: match.spec };
    } else if (match.spec.bitOffset !== chosen.spec.bitOffset) {
      messages.warn(`${name}field offset ambiguity: ${match.spec.bitOffset} != ${chosen.spec.bitOffset}`);
      return EINVAL;
    } else if (result.poison !== chosen.result.poison || result.after !== chosen.result.after) {
      const word = (r: CoreResult): string => `${r.poison ? 'failure' : 'success'} ${r.after}`;
      messages.warn(`${name}relocation decision ambiguity: ${word(result)} != ${word(chosen.result)}`);
      return EINVAL;
    }
    matching.push(candidate);
  }
  if (!chosen) {
    messages.debug(() => `${name}no matching targets found`);
    return calculate(relo, index, spec, undefined, program, messages);
  }
  candidates.splice(0, candidates.length, ...matching);
  return { ...chosen.result, target: chosen.spec };
}
