// Random BPF programs in several C files, for comparing linkers.
import type { Random } from '../random.ts';

/** Something that one file defines and others may use. */
interface Entity {
  name: string;
  /** Definition; `copy` numbers the files that define a weak entity. */
  define(copy: number): string;
  /** How a file that does not define it declares it. */
  declare(): string;
  /** An expression of type int (or statements' value) that uses it. */
  use(): string;
  /** Structs that declaration and use need in full. */
  structs: number[];
  /** Other files may not see it. */
  local: boolean;
  /** A second file defines it too. */
  twice: boolean;
  /** Functions that it calls, variables and maps that it uses. */
  uses: Entity[];
}

const INTS = ['int', 'unsigned int', 'long', 'unsigned long', 'char', 'short', 'unsigned char', 'long long', '_Bool'];
const SECTIONS = ['socket', 'xdp', 'tc', 'raw_tp/sys_enter', 'tracepoint/sched/sched_switch'];

const HEADER = `typedef unsigned int __u32;
typedef unsigned long long __u64;
#define SEC(name) __attribute__((section(name), used))
#define __uint(name, value) int (*name)[value]
#define __type(name, value) typeof(value) *name
#define noinline __attribute__((noinline))
#define weak __attribute__((weak))
#define hidden __attribute__((visibility("hidden")))
static void *(*const lookup)(void *map, const void *key) = (void *)1;
`;

/** Makes the files of one program; the same random source gives the same ones. */
export class ProgramSource {
  private readonly random: Random;
  private readonly structs: string[] = [];
  private readonly byValue: number[][] = [];
  private readonly entities: Entity[] = [];

  constructor(random: Random) {
    this.random = random;
  }

  private chance(percent: number): boolean {
    return this.random.below(100) < percent;
  }

  private pick<T>(list: readonly T[]): T {
    return list[this.random.below(list.length)];
  }

  private field(i: number, n: number, values: number[]): string {
    const name = `m${n}`;
    switch (this.random.below(9)) {
      case 0:
        return `struct t${this.random.below(6)} *${name};`;
      case 1:
        if (i === 0) return `float *${name};`;
        values.push(this.random.below(i));
        return `struct t${values[values.length - 1]} ${name};`;
      case 2:
        return `${this.pick(INTS)} ${name}[${1 + this.random.below(9)}];`;
      case 3:
        return `unsigned ${name} : ${1 + this.random.below(30)};`;
      case 4:
        return `union { ${this.pick(INTS)} a${n}; struct { int b${n}; ${this.pick(INTS)} c${n}; }; };`;
      case 5:
        return `int (*${name})(struct t${this.random.below(6)} *self, ${this.pick(INTS)} x);`;
      case 6:
        return `enum colour${this.random.below(2)} ${name};`;
      default:
        return `${this.chance(20) ? 'const volatile ' : ''}${this.pick(INTS)} ${name};`;
    }
  }

  private addStruct(i: number): void {
    const values: number[] = [];
    const fields = Array.from({ length: 1 + this.random.below(6) }, (_, n) => this.field(i, n, values));
    fields.unshift('int first;');
    const tag = this.chance(15) ? ` __attribute__((btf_decl_tag("t${i}")))` : '';
    this.byValue.push(values);
    this.structs.push(`struct t${i} {\n  ${fields.join('\n  ')}\n}${tag};\n`);
  }

  private addVariable(n: number): void {
    const local = this.chance(35);
    const twice = !local && this.chance(20);
    const struct = this.chance(40) ? this.random.below(this.structs.length) : -1;
    const length = this.chance(30) ? 2 ** this.random.below(4) : 0;
    const type = struct >= 0 ? `struct t${struct}` : this.pick(INTS);
    const name = local ? `local${this.random.below(4)}` : `var${n}`;
    if (this.entities.some((entity) => entity.name === name)) return;
    const [section, constant] = this.pick([
      ['', ''],
      ['', ''],
      ['', 'const volatile '],
      [' SEC(".data.own")', ''],
      [' SEC(".rodata.own")', 'const volatile '],
    ] as const);
    const dims = length ? `[${length}]` : '';
    const zero = section === '' && !constant && this.chance(50);
    const aligned = this.chance(15) ? ` __attribute__((aligned(${2 ** (3 + this.random.below(4))})))` : '';
    const value = (copy: number): string => (struct >= 0 || length ? `{${n + copy + 1}}` : `${(n + copy) % 2}`);
    const isHidden = !local && this.chance(15);
    const quals = `${local ? 'static ' : ''}${twice ? 'weak ' : ''}${isHidden ? 'hidden ' : ''}${constant}`;
    this.entities.push({
      name,
      local,
      twice,
      uses: [],
      structs: struct >= 0 ? [struct] : [],
      define: (copy) => `${quals}${type} ${name}${dims}${section}${aligned}${zero ? '' : ` = ${value(copy)}`};\n`,
      declare: () => `extern ${constant}${type} ${name}${dims}${section};\n`,
      use: () => `(int)${name}${length ? `[a & ${length - 1}]` : ''}${struct >= 0 ? '.first' : ''}`,
    });
  }

  private addMap(n: number): void {
    const local = this.chance(30);
    const struct = this.random.below(this.structs.length);
    const name = local ? `cache${this.random.below(2)}` : `map${n}`;
    if (this.entities.some((entity) => entity.name === name)) return;
    const body = `struct {
  __uint(type, ${1 + this.random.below(2)});
  __uint(max_entries, ${1 + this.random.below(64)});
  __type(key, __u32);
  __type(value, struct t${struct});
} ${name} SEC(".maps");\n`;
    this.entities.push({
      name,
      local,
      twice: false,
      uses: [],
      structs: [struct],
      define: () => (local ? 'static ' : '') + body,
      declare: () => `extern ${body}`,
      use: () => `({ __u32 k = a & 1; struct t${struct} *v = lookup(&${name}, &k); v ? (int)v->first : 0; })`,
    });
  }

  private addKernelExtern(): void {
    const [name, text, use] = this.pick([
      ['LINUX_KERNEL_VERSION', 'extern int LINUX_KERNEL_VERSION SEC(".kconfig");\n', 'LINUX_KERNEL_VERSION'],
      ['CONFIG_HZ', 'extern __u32 CONFIG_HZ SEC(".kconfig") weak;\n', '(int)CONFIG_HZ'],
      ['CONFIG_BPF', 'extern _Bool CONFIG_BPF SEC(".kconfig");\n', '(int)CONFIG_BPF'],
      ['bpf_prog_active', 'extern const int bpf_prog_active SEC(".ksyms");\n', '(int)(long)&bpf_prog_active'],
    ] as const);
    if (this.entities.some((entity) => entity.name === name)) return;
    const declare = () => text;
    this.entities.push({
      name,
      local: true,
      twice: false,
      uses: [],
      structs: [],
      define: declare,
      declare,
      use: () => use,
    });
  }

  private body(uses: readonly Entity[]): string {
    const lines = uses.map((entity) => `  a ${this.pick(['+=', '^=', '-='])} ${entity.use()};\n`);
    if (this.chance(20)) {
      lines.push(
        `  {\n    static const char text[] = "text ${this.random.below(3)}";\n    a += ((const volatile char *)text)[a & 3];\n  }\n`,
      );
    }
    return lines.join('');
  }

  private addFunction(n: number, last: number): void {
    const local = this.chance(35);
    const twice = !local && this.chance(20);
    const name = local ? `helper${this.random.below(3)}` : `func${n}`;
    if (this.entities.some((entity) => entity.name === name)) return;
    const uses = this.someOf(this.entities, 3);
    const pointer = !local && this.chance(25) ? this.random.below(this.structs.length) : -1;
    const params = (suffix: string): string =>
      `int a${suffix}${pointer >= 0 ? `, struct t${pointer} *p${suffix}` : ''}`;
    const isHidden = !local && this.chance(15);
    const quals = `${local ? 'static ' : ''}${twice ? 'weak ' : ''}${isHidden ? 'hidden ' : ''}noinline int`;
    const text = this.body(uses);
    const check = pointer >= 0 ? '  if (p)\n    a += p->first;\n' : '';
    this.entities.push({
      name,
      local,
      twice,
      uses,
      structs: pointer >= 0 ? [pointer] : [],
      define: (copy) => `${quals} ${name}(${params('')})\n{\n${text}${check}  return a * ${3 + copy + n};\n}\n`,
      declare: () => `extern int ${name}(${params(this.pick(['', '_']))});\n`,
      use: () => `${name}(a + ${last - n}${pointer >= 0 ? ', 0' : ''})`,
    });
  }

  private someOf(entities: readonly Entity[], most: number): Entity[] {
    const chosen = new Set<Entity>();
    for (let i = this.random.below(most + 1); i > 0 && entities.length; i--) chosen.add(this.pick(entities));
    return [...chosen];
  }

  /** C texts of one to four files. */
  files(): string[] {
    for (let i = 0; i < 6; i++) this.addStruct(i);
    for (let i = 2 + this.random.below(6); i > 0; i--) this.addVariable(i);
    for (let i = this.random.below(3); i > 0; i--) this.addMap(i);
    for (let i = this.random.below(3); i > 0; i--) this.addKernelExtern();
    const functions = 1 + this.random.below(5);
    for (let i = functions; i > 0; i--) this.addFunction(i, functions);
    const count = 1 + this.random.below(4);
    const global = this.entities.filter((entity) => !entity.local);
    const home = new Map(global.map((entity) => [entity, this.random.below(count)]));
    return Array.from({ length: count }, (_, file) => this.file(file, count, home));
  }

  private file(file: number, count: number, home: ReadonlyMap<Entity, number>): string {
    const defined = [...home].flatMap(([entity, at]) => {
      if (at === file) return [{ entity, copy: 0 }];
      return entity.twice && (at + 1) % count === file ? [{ entity, copy: 1 }] : [];
    });
    const programs = Array.from({ length: this.random.below(3) }, (_, n) => {
      const uses = this.someOf(this.entities, 4);
      const head = `SEC("${this.pick(SECTIONS)}") int prog_${file}_${n}(void *ctx)\n{\n  int a = ${n};\n\n`;
      return { uses, text: `${head}${this.body(uses)}  return a & 1;\n}\n` };
    });
    const needed = new Set<Entity>();
    const need = (entity: Entity): void => {
      if (needed.has(entity)) return;
      needed.add(entity);
      if (entity.local || defined.some((one) => one.entity === entity)) entity.uses.forEach(need);
    };
    for (const { entity } of defined) need(entity);
    for (const { uses } of programs) uses.forEach(need);

    const full = new Set<number>();
    const needStruct = (i: number): void => {
      for (const inner of this.byValue[i]) needStruct(inner);
      full.add(i);
    };
    for (const entity of needed) entity.structs.forEach(needStruct);
    for (let i = 0; i < this.structs.length; i++) if (this.chance(20)) needStruct(i);

    let text = `${HEADER}enum colour0 { RED0, GREEN0 = 3 };\n`;
    text += this.chance(70) ? 'enum colour1 { RED1 = -1, GREEN1 };\n' : 'enum colour1 { RED1 = -1, GREEN1, BLUE1 };\n';
    for (let i = 0; i < this.structs.length; i++) text += `struct t${i};\n`;
    for (const i of [...full].sort((a, b) => a - b)) text += this.structs[i];
    // In the order of their making, so that what is used comes before what uses it.
    for (const entity of this.entities) {
      if (!needed.has(entity)) continue;
      const own = defined.find((one) => one.entity === entity);
      text += own ? entity.define(own.copy) : entity.local ? entity.define(file) : entity.declare();
    }
    for (const program of programs) text += program.text;
    if (this.chance(80)) text += 'char _license[] SEC("license") = "GPL";\n';
    return text;
  }
}
