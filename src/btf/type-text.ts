// Types as C writes them, on one line and under their own names, for people to read and for programs to compare.
import type { Btf } from './btf.ts';
import { Declarations } from './c/declare.ts';
import { WorkLimit } from './c/limits.ts';
import { CNames } from './c/names.ts';

/** Names as they are, where a header would number those that occur twice. */
class PlainNames extends CNames {
  private readonly source: Btf;

  constructor(btf: Btf) {
    super(btf);
    this.source = btf;
  }

  override tag(id: number): string {
    return this.source.name(id);
  }

  override typedef(id: number): string {
    return this.source.name(id);
  }

  override enumerator(name: string): string {
    return name;
  }
}

/** Texts of types and declarations. Methods throw BtfError where types hold themselves. */
export class TypeTexts {
  private readonly btf: Btf;
  private readonly names: PlainNames;
  private readonly known = new Map<number, string>();

  constructor(btf: Btf) {
    this.btf = btf;
    this.names = new PlainNames(btf);
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
    const limit = new WorkLimit(this.btf.count);
    return new Declarations(this.btf, this.names, limit, () => {}).declare(id, name, 0).replace(/\s+/g, ' ');
  }
}
