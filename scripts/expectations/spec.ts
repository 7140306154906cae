// What the kernel's own tests expect of a program: declaration tags that begin with "comment:" in the object's BTF.
// What it returns when it runs, and its machine code as LLVM prints it, are not looked at.
import { BTF_KIND, type Btf } from '../../src/btf/btf.ts';
import type { Expected } from './messages.ts';

/** Expectations for one kind of caller. */
export interface Expectation {
  fails: boolean;
  log: Expected[];
  xlated: Expected[];
}

export interface TestSpec {
  program: string;
  /** With all capabilities, and with few of them; undefined where the test is not run so. */
  privileged: Expectation | undefined;
  unprivileged: Expectation | undefined;
  /** Numbers of capabilities that the unprivileged caller has all the same. */
  capabilities: number[];
  logLevel: number;
  flags: number;
  /** Loaded together with each other program of the object. */
  auxiliary: boolean;
  /** Whether it is meant for x86-64 with its compiler. */
  applies: boolean;
  /** File with BTF for CO-RE in place of the kernel's. */
  btfPath: string | undefined;
}

const FLAGS: Readonly<Record<string, number>> = {
  BPF_F_STRICT_ALIGNMENT: 1,
  BPF_F_ANY_ALIGNMENT: 2,
  BPF_F_TEST_RND_HI32: 4,
  BPF_F_TEST_STATE_FREQ: 8,
  BPF_F_SLEEPABLE: 16,
  BPF_F_XDP_HAS_FRAGS: 32,
  BPF_F_TEST_REG_INVARIANTS: 128,
};
const PREFIX = 'comment:';

/** Lists that the tags of one program fill. */
type Lists = Record<'log' | 'xlated', Expected[]>;
const lists = (): Lists => ({ log: [], xlated: [] });

/** Tags with a text: name, list, whether lines must follow each other. */
const TEXTS: readonly (readonly [tag: string, list: keyof Lists, negative: boolean, lines: boolean])[] = [
  ['test_expect_msg', 'log', false, false],
  ['test_expect_not_msg', 'log', true, false],
  ['test_expect_xlated', 'xlated', false, true],
];

/** Tags on a function in the order of the BTF, without their prefix. */
function tagsOf(btf: Btf, func: number): string[] {
  const tags: string[] = [];
  for (let id = 1; id < btf.count; id++) {
    if (btf.kind(id) !== BTF_KIND.DECL_TAG || btf.type(id) !== func || btf.tagComponent(id) !== -1) continue;
    if (btf.name(id).startsWith(PREFIX)) tags.push(btf.name(id).slice(PREFIX.length));
  }
  return tags;
}

class Reader {
  readonly own = lists();
  readonly unprivileged = lists();
  private readonly open = new Map<Expected[], boolean>();

  /** True where the tag was one with a text. */
  read(tag: string): boolean {
    for (const [name, list, negative, lines] of TEXTS) {
      for (const [suffix, into] of [
        ['', this.own],
        ['_unpriv', this.unprivileged],
      ] as const) {
        const found = new RegExp(`^${name}${suffix}=(?:\\d+=)?(.*)$`, 's').exec(tag);
        if (!found) continue;
        this.push(into[list], found[1], negative, lines);
        return true;
      }
    }
    return false;
  }

  private push(list: Expected[], pattern: string, negative: boolean, lines: boolean): void {
    if (lines && pattern === '...') {
      this.open.set(list, true);
      return;
    }
    list.push({ pattern, negative, onNextLine: lines && this.open.get(list) !== true });
    this.open.set(list, false);
  }
}

/** What is expected of a program; undefined where nothing is. */
export function readSpec(btf: Btf, program: string): TestSpec | undefined {
  const func = btf.find(program, BTF_KIND.FUNC);
  const tags = func === 0 ? [] : tagsOf(btf, func);
  if (tags.length === 0) return undefined;
  const has = (tag: string): boolean => tags.includes(tag);
  const value = (name: string): string | undefined =>
    tags.find((tag) => tag.startsWith(`${name}=`))?.slice(name.length + 1);
  const reader = new Reader();
  const machines: string[] = [];
  let flags = 0;
  for (const tag of tags) {
    const machine = /^test_arch=(.*)$/.exec(tag)?.[1];
    if (machine) machines.push(machine);
    const flag = /^test_prog_flags=(!?)(.*)$/.exec(tag);
    if (flag) {
      const bits = FLAGS[flag[2]] ?? Number(flag[2]);
      flags = flag[1] ? flags & ~bits : flags | bits;
    }
    reader.read(tag);
  }
  const own: Expectation = { fails: has('test_expect_failure'), ...reader.own };
  const text = (list: keyof Lists): Expected[] =>
    reader.unprivileged[list].length ? reader.unprivileged[list] : reader.own[list];
  const decided = has('test_expect_failure_unpriv') || has('test_expect_success_unpriv');
  const other: Expectation = {
    fails: decided ? has('test_expect_failure_unpriv') : own.fails,
    log: text('log'),
    xlated: text('xlated'),
  };
  const forUnprivileged = tags.some((tag) => /^[a-z_]+_unpriv(=|$)/.test(tag));
  const forPrivileged =
    has('test_expect_failure') ||
    has('test_expect_success') ||
    has('test_auxiliary') ||
    value('test_retval') !== undefined ||
    Object.values(reader.own).some((list) => list.length > 0);
  const mode = value('load_mode');
  return {
    program,
    privileged: forPrivileged || !forUnprivileged ? own : undefined,
    unprivileged: forUnprivileged ? other : undefined,
    capabilities: (value('test_caps_unpriv') ?? '').split('|').filter(Boolean).map(Number),
    logLevel: Number(value('test_log_level') ?? 0),
    flags,
    auxiliary: has('test_auxiliary') || has('test_auxiliary_unpriv'),
    applies: (machines.length === 0 || machines.includes('X86_64')) && mode !== 'no_jited',
    btfPath: value('test_btf_path'),
  };
}
