// Rules for accesses to a context structure, as tables: which bytes belong to a field and which sizes it takes.
import { FLAG, REG } from '../verifier/types.ts';
import { type ContextLayout, layoutOf, rangeOf } from './layout.ts';
import type { Access, AccessArgs, AccessInfo, ProgramView } from './program-type.ts';

/**
 * Sizes that an access may have: exactly so many bytes, `narrow4`/`narrow8` for a field of that size or a part of it
 * (the rest is masked away afterwards), `any` size that stays inside the field, or `no` access.
 */
export type SizeRule = number | 'narrow4' | 'narrow8' | 'any' | 'no';

export interface FieldRule {
  /** A field, or a run of fields: "a..b". */
  readonly field: string;
  /** The rule holds at the first byte only; the other bytes follow the rest of the table. */
  readonly start?: boolean;
  readonly read: SizeRule;
  readonly write: SizeRule;
  /** Register type that a read gives. */
  readonly gives?: number;
  /** A sign-extending read is refused. */
  readonly plainLoad?: boolean;
  /** Further condition. */
  readonly when?: (view: ProgramView, access: Access, size: number) => boolean;
}

export interface ContextRules {
  readonly struct: string;
  readonly rules: readonly FieldRule[];
  /** For bytes that no rule covers. */
  readonly otherwise: { readonly read: SizeRule; readonly write: SizeRule };
  /** Last field that may be touched, where the structure has more. */
  readonly upTo?: string;
}

interface Compiled {
  readonly limit: number;
  /** For each byte: index of its rule, -1 for none. */
  readonly ruleAt: Int8Array;
  readonly ends: readonly number[];
}

const compiled = new WeakMap<ContextRules, WeakMap<ContextLayout, Compiled>>();

function compile(rules: ContextRules, layout: ContextLayout): Compiled {
  const limit = rules.upTo === undefined ? layout.size : rangeOf(layout, rules.upTo).end;
  const ruleAt = new Int8Array(limit).fill(-1);
  const ends: number[] = [];
  rules.rules.forEach((rule, i) => {
    const { off, end } = rangeOf(layout, rule.field);
    ends.push(end);
    for (let b = off; b < (rule.start ? off + 1 : Math.min(end, limit)); b++) if (ruleAt[b] < 0) ruleAt[b] = i;
  });
  return { limit, ruleAt, ends };
}

function compiledFor(rules: ContextRules, layout: ContextLayout): Compiled {
  let perLayout = compiled.get(rules);
  if (!perLayout) {
    perLayout = new WeakMap();
    compiled.set(rules, perLayout);
  }
  let found = perLayout.get(layout);
  if (!found) {
    found = compile(rules, layout);
    perLayout.set(layout, found);
  }
  return found;
}

function sizeFits(rule: SizeRule, off: number, size: number, end: number, info: AccessInfo): boolean {
  switch (rule) {
    case 'no':
      return false;
    case 'any':
      return off + size <= end;
    case 'narrow4':
    case 'narrow8': {
      const whole = rule === 'narrow4' ? 4 : 8;
      info.ctxFieldSize = whole;
      return size <= whole;
    }
    default:
      return size === rule;
  }
}

/** Judges one access by a table. Accesses must be aligned to their size. */
export function judge(rules: ContextRules, ...[view, off, size, access, info]: AccessArgs): boolean {
  const layout = layoutOf(view.image, rules.struct);
  const { limit, ruleAt, ends } = compiledFor(rules, layout);
  if (off < 0 || off >= limit || off % size !== 0) return false;
  const i = ruleAt[off];
  if (i < 0) return sizeFits(rules.otherwise[access], off, size, limit, info);
  const rule = rules.rules[i];
  if (rule.plainLoad && info.isLdsx) return false;
  if (rule.when && !rule.when(view, access, size)) return false;
  if (!sizeFits(rule[access], off, size, ends[i], info)) return false;
  if (rule.gives !== undefined && access === 'read') info.regType = rule.gives;
  return true;
}

export const OR_NULL = { socket: REG.SOCKET | FLAG.MAYBE_NULL, sockCommon: REG.SOCK_COMMON | FLAG.MAYBE_NULL } as const;
