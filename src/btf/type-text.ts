// Types as C writes them, on one line and under their own names, for people to read and for programs to compare.
import type { Btf } from './btf.ts';
import { Declarations } from './c/declare.ts';
import { WorkLimit } from './c/limits.ts';
import { PLAIN_NAMES } from './c/names.ts';

/** Texts of types and declarations. Methods throw BtfError where types hold themselves. */
export class TypeTexts {
  private readonly limit: WorkLimit;
  private readonly declarations: Declarations;
  private readonly known = new Map<number, string>();

  constructor(btf: Btf) {
    this.limit = WorkLimit.ofText();
    this.declarations = new Declarations(btf, PLAIN_NAMES, this.limit, () => {});
  }

  /** `const struct file *`. */
  of(id: number): string {
    let text = this.known.get(id);
    if (text === undefined) {
      text = this.declare(id, '');
      this.known.set(id, text);
    }
    return text;
  }

  /** `char comm[16]`. */
  declare(id: number, name: string): string {
    this.limit.restart();
    return this.declarations.declare(id, name, 0).replace(/\s+/g, ' ');
  }
}
