// Follows the steps of each type. This is where a raw dump spends its time: one loop over tables serves every kind.
import { ByteSink, type Token, token } from '../../print/byte-sink.ts';
import { JSON_ESCAPES } from '../../print/json.ts';
import type { FlatTypes } from '../flat-types.ts';
import { SOURCE } from './forms.ts';
import { type Step, StepTable, type Style } from './steps.ts';

const ESCAPES: (Token | undefined)[] = new Array(256).fill(undefined);
for (const [char, text] of Object.entries(JSON_ESCAPES)) ESCAPES[char.charCodeAt(0)] = token(text);

const ANONYMOUS = token('(anon)');
const MINUS = token('-');
/** 2^64 above a negative number. */
const WIDE = 1n << 64n;

/** Writes types in a style. */
export class RawWriter extends ByteSink {
  private readonly types: FlatTypes;
  private readonly style: Style;
  private readonly table: StepTable;
  /** Whether names can be copied: text takes them as they are, and so does JSON where none has anything to escape. */
  private readonly copiesNames: boolean;
  private written = 0;

  constructor(types: FlatTypes, style: Style, write: (bytes: Buffer) => void) {
    super(types.strings, write);
    this.types = types;
    this.style = style;
    this.table = new StepTable(style);
    const { bytes } = types.strings;
    this.copiesNames = !style.json || !Object.keys(JSON_ESCAPES).some((char) => bytes.includes(char.charCodeAt(0)));
  }

  begin(): void {
    this.put(this.style.begin);
  }

  /** Writes one type, which must exist. */
  type(id: number): void {
    const { words, places } = this.types;
    if (this.written++ > 0) this.put(this.style.between);
    const at = places[id];
    const info = words[at + 1];
    const { type, elementsBegin, element, elementWords, between, end, emptyEnd } = this.table.of(info);
    this.follow(type, at, id);
    this.put(elementsBegin);
    const from = at + 3;
    const to = from + elementWords * (info & 0xffffff);
    for (let p = from; p < to; p += elementWords) {
      if (p > from) this.put(between);
      this.follow(element, p, id);
    }
    this.put(to > from ? end : emptyEnd);
  }

  end(): void {
    this.put(this.written > 0 ? this.style.end : this.style.emptyEnd);
    this.flush();
  }

  private follow(steps: readonly Step[], at: number, id: number): void {
    const { words } = this.types;
    const { copiesNames } = this;
    for (let i = 0; i < steps.length; i++) {
      const step = steps[i];
      const word = words[at + step.word];
      if (step.source === SOURCE.NAME) {
        this.put(step.before);
        if (copiesNames && word !== 0) this.string(word);
        else this.name(word);
        continue;
      }
      const value = (word >>> step.shift) & step.mask;
      if (value === 0 && step.source === SOURCE.OPTIONAL) continue;
      this.put(step.before);
      switch (step.source) {
        case SOURCE.NUMBER:
        case SOURCE.OPTIONAL:
          if (value >= 0) this.decimal(value);
          else this.unsigned(value);
          break;
        case SOURCE.ID:
          this.decimal(id);
          break;
        case SOURCE.CHOICE:
          this.put(step.choices[value] ?? step.choices[step.choices.length - 1]);
          break;
        default:
          this.rare(step.source, word, words[at + step.word + 1]);
      }
    }
  }

  private name(offset: number): void {
    if (offset === 0) this.put(ANONYMOUS);
    else if (this.copiesNames) this.string(offset);
    else this.escaped(offset, ESCAPES);
  }

  /** Values that few types have. */
  private rare(source: number, word: number, high: number): void {
    const { types, style } = this;
    switch (source) {
      case SOURCE.SIGNED:
        if (word < 0) this.put(MINUS);
        this.unsigned(Math.abs(word) | 0);
        break;
      case SOURCE.WIDENED:
        if (word < 0 && style.json) this.text(String(WIDE + BigInt(word)));
        else this.unsigned(word);
        break;
      case SOURCE.LONG:
        this.text(String((BigInt(high >>> 0) << 32n) | BigInt(word >>> 0)));
        break;
      case SOURCE.SIGNED_LONG:
        this.text(String((BigInt(high) << 32n) | BigInt(word >>> 0)));
        break;
      case SOURCE.KIND_OF:
        this.put(style.kinds[types.kind(word)] ?? style.kinds[0]);
        break;
      default:
        this.name(types.nameOffset(word));
    }
  }
}
