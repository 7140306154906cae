// Forms as steps: what is written in front of each value, and what the value is. Text and JSON differ in nothing else.
import { type Token, token } from '../../print/byte-sink.ts';
import type { JsonPlace } from '../../print/json.ts';
import { KIND_NAMES } from '../kinds.ts';
import { type Field, FORMS, type Form, SOURCE } from './forms.ts';

export interface Step {
  before: Token;
  source: number;
  word: number;
  shift: number;
  mask: number;
  choices: readonly Token[];
}

/** How types of one form are written. */
export interface Steps {
  type: readonly Step[];
  /** Words of an element; 0 where there are none. */
  elementWords: number;
  /** Between the fields of the type and its elements. */
  elementsBegin: Token;
  element: readonly Step[];
  between: Token;
  /** Behind the last element, or the fields of a type without elements. */
  end: Token;
  emptyEnd: Token;
}

/** How a dump is written. */
export interface Style {
  json: boolean;
  begin: Token;
  between: Token;
  end: Token;
  emptyEnd: Token;
  /** Kinds as the value of a field. */
  kinds: readonly Token[];
  steps(kind: string, form: Form): Steps;
}

const NONE = token('');
const ALL_BITS = 0xffffffff | 0;

const step = (before: string, field: Omit<Field, 'key'>, choice: (word: string) => string = (word) => word): Step => ({
  before: token(before),
  source: field.source,
  word: field.word,
  shift: field.shift ?? 0,
  mask: field.mask ?? ALL_BITS,
  choices: (field.choices ?? []).map((word) => token(choice(word))),
});

const ID = { source: SOURCE.ID, word: 0 };
const NAME = { source: SOURCE.NAME, word: 0 };
const NO_FORM: Form = { fields: [] };

/** The steps of each kind, made when first asked for. */
export class StepTable {
  private readonly style: Style;
  private readonly known: (Steps | undefined)[] = new Array(256).fill(undefined);

  constructor(style: Style) {
    this.style = style;
  }

  /** By the second word of a type. */
  of(info: number): Steps {
    const index = info >>> 24;
    return this.known[index] ?? this.make(index);
  }

  private make(index: number): Steps {
    const kind = index & 0x7f;
    const [plain, flagged = plain] = FORMS[kind] ?? [NO_FORM];
    const steps = this.style.steps(KIND_NAMES[kind] ?? KIND_NAMES[0], index & 0x80 ? flagged : plain);
    this.known[index] = steps;
    return steps;
  }
}

/** Text in front of each field: quotes close behind names, suffixes stand behind other values. */
const textSteps = (fields: readonly Field[], open: string): [Step[], string] => {
  const steps: Step[] = [];
  let pending = open;
  for (const field of fields) {
    const start = TEXT_STARTS[field.source] ?? ` ${field.key}=`;
    steps.push(step(pending + start, field));
    pending = TEXT_ENDS[field.source] ?? field.suffix ?? '';
  }
  return [steps, pending];
};

const TEXT_STARTS: Readonly<Record<number, string>> = { [SOURCE.KIND_OF]: ' (', [SOURCE.NAME_OF]: " '" };
const TEXT_ENDS: Readonly<Record<number, string>> = { [SOURCE.NAME]: "'", [SOURCE.NAME_OF]: "')" };

/** A line a type, a line an element. */
export const textStyle = (): Style => ({
  json: false,
  begin: NONE,
  between: NONE,
  end: NONE,
  emptyEnd: NONE,
  kinds: KIND_NAMES.map(token),
  steps: (kind, { fields, elements }) => {
    const [own, ownEnd] = textSteps(fields, "'");
    const [first, ...others] = elements?.fields ?? [];
    const isName = first?.source === SOURCE.NAME;
    const [rest, elementEnd] = textSteps(others, isName ? "'" : '');
    return {
      type: [step('[', ID), step(`] ${kind} '`, NAME), ...own],
      elementWords: elements?.words ?? 0,
      elementsBegin: token(ownEnd),
      element: first ? [step(isName ? "\n\t'" : `\n\t${first.key}=`, first), ...rest] : [],
      between: token(elementEnd),
      end: token(`${elementEnd}\n`),
      emptyEnd: token('\n'),
    };
  },
});

const quoted = (word: string): string => `"${word}"`;
const isInJson = ({ source }: Field): boolean => source !== SOURCE.KIND_OF && source !== SOURCE.NAME_OF;

/** How deep the members of types and of their elements stand. */
const TYPE_DEPTH = 3;
const ELEMENT_DEPTH = 5;

/** {"types":[…]} in the layout of JsonWriter. */
export const jsonStyle = ({ pretty, depth }: JsonPlace): Style => {
  const line = (level: number): string => (pretty ? `\n${'    '.repeat(depth + level)}` : '');
  const key = (name: string, level: number): string => `${line(level)}"${name}":${pretty ? ' ' : ''}`;
  /** Members of an object behind `open`; the quote behind a name belongs to what follows. */
  const members = (fields: readonly Field[], level: number, open: string): [Step[], string] => {
    const steps: Step[] = [];
    let pending = open;
    for (const [i, field] of fields.entries()) {
      const isName = field.source === SOURCE.NAME;
      steps.push(step(`${pending}${i > 0 ? ',' : ''}${key(field.key, level)}${isName ? '"' : ''}`, field, quoted));
      pending = isName ? '"' : '';
    }
    return [steps, pending];
  };
  return {
    json: true,
    begin: token(`{${key('types', 1)}[`),
    between: token(','),
    end: token(`${line(1)}]${line(0)}}`),
    emptyEnd: token(`]${line(0)}}`),
    kinds: [],
    steps: (kind, { fields, elements }) => {
      const level = TYPE_DEPTH;
      const head = [
        step(`{${key('id', level)}`, ID),
        step(`,${key('kind', level)}"${kind}",${key('name', level)}"`, NAME),
      ];
      const [own] = members(fields, level, '",');
      const [element, last] = members(elements?.fields.filter(isInJson) ?? [], ELEMENT_DEPTH, '{');
      const elementEnd = `${last}${line(ELEMENT_DEPTH - 1)}}`;
      const typeEnd = `${line(level - 1)}}`;
      return {
        type: [...head, ...own],
        elementWords: elements?.words ?? 0,
        elementsBegin: token(elements ? `,${key(elements.key, level)}[` : fields.length > 0 ? '' : '"'),
        element,
        between: token(`${elementEnd},`),
        end: token(`${elementEnd}${line(level)}]${typeEnd}`),
        emptyEnd: token(elements ? `]${typeEnd}` : typeEnd),
      };
    },
  };
};
