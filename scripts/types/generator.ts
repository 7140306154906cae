// Random C type declarations that a compiler accepts.
import type { Random } from '../random.ts';

const SCALARS: readonly (readonly [name: string, bits: number])[] = [
  ['char', 8],
  ['signed char', 8],
  ['unsigned char', 8],
  ['short', 16],
  ['unsigned short', 16],
  ['int', 32],
  ['unsigned int', 32],
  ['long', 64],
  ['unsigned long', 64],
  ['long long', 64],
  ['unsigned long long', 64],
  ['_Bool', 1],
  ['__int128', 128],
];

const FLOATS = ['float', 'double', 'long double'] as const;

const MAX_NESTING = 4;
const TYPES_PER_FILE = 14;

/** What may occur besides. */
export interface GeneratorKinds {
  /** Attributes that only clang knows: btf_decl_tag and btf_type_tag. */
  tags: boolean;
  /** What changes layouts: the attributes packed and aligned, and bitfields without a name. */
  alignments: boolean;
}

/** Writes one file; every name is given once. */
export class TypeGenerator {
  private readonly random: Random;
  /** Complete types that may be embedded, structs and unions that may be pointed to, by their C names. */
  private readonly complete: string[] = [];
  private readonly tags: string[] = [];
  private names = 0;

  private readonly kinds: GeneratorKinds;

  constructor(random: Random, kinds: GeneratorKinds) {
    this.random = random;
    this.kinds = kinds;
    // Seeds that are alike begin alike.
    for (let i = 0; i < 16; i++) random.below(2);
  }

  private next(below: number): number {
    return this.random.below(below);
  }

  private pick<T>(list: readonly T[]): T {
    return list[this.next(list.length)];
  }

  private name(prefix: string): string {
    return `${prefix}${this.names++}`;
  }

  private one(outOf: number): boolean {
    return this.next(outOf) === 0;
  }

  private base(): string {
    if (this.complete.length && this.one(2)) return this.pick(this.complete);
    return this.one(12) ? this.pick(FLOATS) : this.pick(SCALARS)[0];
  }

  private qualified(): string {
    const word = this.one(4) ? `${this.pick(['const', 'volatile', 'const volatile'])} ` : '';
    return word + this.base();
  }

  private pointee(): string {
    const choice = this.next(5);
    if (this.kinds.tags && this.one(10)) return `${this.base()} __attribute__((btf_type_tag("tag${this.next(3)}")))`;
    if (choice === 0) return 'void';
    if (choice === 1) return 'const char';
    // A tag that is never defined, or that is defined later or has been.
    if (choice === 2) return `struct ${this.one(3) ? this.name('never') : this.name('s')}`;
    if (this.tags.length && choice === 3) return this.pick(this.tags);
    return this.qualified();
  }

  private parameters(): string {
    const count = this.next(4);
    const list = Array.from({ length: count }, () => this.declaration('', 1));
    if (count > 0 && this.one(6)) list.push('...');
    return list.length ? list.join(', ') : 'void';
  }

  /** A declaration of `name`, as intricate as chance has it. */
  private declaration(name: string, depth = 0): string {
    switch (depth > 2 ? 0 : this.next(9)) {
      case 0:
      case 1:
      case 2:
        return `${this.qualified()} ${name}`;
      case 3:
        return `${this.pointee()} *${this.pick(['', 'const ', 'volatile '])}${name}`;
      case 4:
        return `${this.pointee()} **${name}`;
      case 5:
        return depth ? `${this.base()} *${name}` : `${this.qualified()} ${name}${this.bounds()}`;
      case 6:
        return `${this.returned()}(*${name})(${this.parameters()})`;
      case 7:
        return depth
          ? `${this.pointee()} *${name}`
          : `${this.returned()}(*${name}${this.bounds()})(${this.parameters()})`;
      default:
        return `${this.base()} (*${name})${this.bounds()}`;
    }
  }

  private returned(): string {
    return this.pick(['void ', 'int ', 'void *', 'const char *', 'unsigned long ']);
  }

  private bounds(): string {
    return Array.from({ length: 1 + this.next(2) }, () => `[${this.pick([1, 2, 3])}]`).join('');
  }

  private bitfield(): string {
    const [type, bits] = this.pick(SCALARS.filter(([, width]) => width <= 64));
    if (this.kinds.alignments && this.one(6)) return `${type} : ${this.one(2) ? 0 : 1 + this.next(bits)}`;
    return `${type} ${this.name('f')} : ${1 + this.next(bits)}`;
  }

  private attributes(): string {
    const list: string[] = [];
    if (this.kinds.alignments && this.one(4)) list.push('packed');
    if (this.kinds.alignments && this.one(5)) list.push(`aligned(${this.pick([1, 2, 4, 8, 16, 32])})`);
    if (this.kinds.tags && this.one(8)) list.push(`btf_decl_tag("note${this.next(3)}")`);
    return list.length ? ` __attribute__((${list.join(', ')}))` : '';
  }

  private member(depth: number): string {
    const choice = this.next(10);
    if (choice < 3) return `${this.bitfield()};`;
    if (choice < 5 && depth < MAX_NESTING) {
      const name = this.one(2) ? '' : ` ${this.name('m')}${this.one(3) ? this.bounds() : ''}`;
      return `${this.composite('', depth + 1)}${this.attributes()}${name};`;
    }
    if (choice === 5) return `enum { ${this.enumerators()} } ${this.name('m')};`;
    const aligned =
      this.kinds.alignments && this.one(8) ? ` __attribute__((aligned(${this.pick([2, 4, 8, 16])})))` : '';
    return `${this.declaration(this.name('m'))}${aligned};`;
  }

  /** Body of a struct or union, without what stands behind the brace. */
  private composite(tag: string, depth: number): string {
    const word = this.one(3) ? 'union' : 'struct';
    const members = Array.from({ length: this.next(7) + (depth ? 1 : 0) }, () => this.member(depth));
    // Something named has to come before a flexible array.
    if (word === 'struct' && depth === 0 && this.one(5)) {
      members.push(`int ${this.name('m')};`, `${this.pick(SCALARS)[0]} ${this.name('m')}[];`);
      return `${word} ${tag} { ${members.join(' ')} }`;
    }
    return `${word} ${tag} { ${members.join(' ')} }`;
  }

  private enumerators(): string {
    const value = (): string =>
      this.pick(['', '', ' = 0', ' = -1', ' = 7', ' = 255', ' = -128', ' = 0x7fffffff', ' = -0x7fffffff']);
    return Array.from({ length: 1 + this.next(4) }, () => `${this.name('E')}${value()}`).join(', ');
  }

  private enumeration(tag: string): string {
    if (this.one(4))
      return `enum ${tag} { ${this.name('E')} = ${this.pick(['0x100000000', '-0x100000000', '0xffffffffffffffff'])}ULL };`;
    const packed = this.kinds.alignments && this.one(4) ? ' __attribute__((packed))' : '';
    return `enum ${tag} { ${this.enumerators()} }${packed};`;
  }

  private type(): string {
    const choice = this.next(8);
    if (choice < 5) {
      const tag = this.one(3) ? `s${this.next(this.names + 1)}_${this.names++}` : this.name('s');
      const text = this.composite(tag, 0);
      const full = text.slice(0, text.indexOf(' ', text.indexOf(' ') + 1));
      this.tags.push(full);
      // What ends in a flexible array, or is empty, may stand nowhere else.
      if (!text.includes('[];') && !text.endsWith('{  }')) this.complete.push(full);
      return `${text}${this.attributes()};`;
    }
    if (choice === 5) {
      const tag = this.name('e');
      const text = this.enumeration(tag);
      this.complete.push(`enum ${tag}`);
      return text;
    }
    const name = this.name('t');
    const text = choice === 6 ? `typedef ${this.declaration(name)};` : `typedef ${this.composite('', 1)} ${name};`;
    this.complete.push(name);
    return text;
  }

  /** Declarations, and a variable for each so that the compiler keeps them. */
  file(): string {
    const lines = Array.from({ length: TYPES_PER_FILE }, () => this.type());
    const uses = [...new Set([...this.complete, ...this.tags])].map((type, i) => `${type} *use${i};`);
    return `${[...lines, ...uses].join('\n')}\n`;
  }
}
