// Runs the corpus through a kernel and compares everything with what was captured.
import { readFileSync } from 'node:fs';
import { keptOpen, runKept } from '../../cmd/test-run.ts';
import { SysError } from '../../src/errno.ts';
import { LoadError } from '../../src/object/errors.ts';
import { loadObject } from '../../src/object/load.ts';
import { openObject } from '../../src/object/open.ts';
import type { Kernel, ProgLoadAttr } from '../../src/syscall.ts';
import {
  BTF_TEXTS,
  type CapturedObject,
  type CapturedProgram,
  objectFolder,
  objectNames,
  objectPath,
  PROG_TEXTS,
  readExpected,
  readSystem,
  SYSTEM_TEXTS,
  sha256,
  VMLINUX_TEXTS,
} from '../corpus.ts';
import type { Ledger, Metric } from './ledger.ts';
import { compareLight } from './light.ts';
import {
  jitedMask,
  maskJited,
  maskLog,
  maskShow,
  maskXlated,
  maskXlatedBytes,
  sameJited,
  withoutNotes,
} from './mask.ts';

const PINS = '/sys/fs/bpf/bpftool-ts-parity';
const LOG_BYTES = 16 << 20;

/** Reports each difference as it is found; for looking closer. */
export type OnDifference = (metric: Metric, what: string, ours: string, theirs: string) => void;

/** The lines that end the log of every program: instructions, states, stack depths. */
const COUNTS = /^(?:processed \d+ insns|stack depth ).*$/gm;
const countLines = (log: string): string => (log.match(COUNTS) ?? []).join('\n');

/** What the verifier said last before its counts: the reason of a refusal. */
const lastLine = (log: string): string => log.replace(COUNTS, '').trimEnd().split('\n').at(-1) ?? '';

/** A policy of the kernel of the capture, not the verifier, refuses tracing, ext and lsm programs: nothing to compare. */
const EPERM = 1;
export const refusedUnseen = ({ errno, log1 }: CapturedProgram): boolean => errno === EPERM && log1 === '';

class Comparison {
  private readonly kernel: Kernel;
  private readonly ledger: Ledger;
  private readonly onDifference: OnDifference;

  constructor(kernel: Kernel, ledger: Ledger, onDifference: OnDifference) {
    this.kernel = kernel;
    this.ledger = ledger;
    this.onDifference = onDifference;
  }

  private check(metric: Metric, what: string, ours: string, theirs: string): void {
    const equal = ours === theirs;
    this.ledger.record(metric, what, equal);
    if (!equal) this.onDifference(metric, what, ours, theirs);
  }

  /** Standard output, standard error and status of one command line. */
  private async bpftool(words: readonly string[]): Promise<{ out: string; err: string; status: number }> {
    const answer = await runKept(words, () => keptOpen(this.kernel));
    return { ...answer, err: withoutNotes(answer.err) };
  }

  /** Loads one program by itself: its descriptor or errno, and its log. */
  private load(
    bytes: Uint8Array,
    object: string,
    name: string,
    level: number,
  ): { fd: number; errno: number; log: string } {
    let said = '';
    const kernel: Kernel = Object.create(this.kernel, {
      progLoad: {
        value: (attr: ProgLoadAttr): number => {
          try {
            return this.kernel.progLoad(attr);
          } finally {
            said = attr.log?.text ?? said;
          }
        },
      },
    });
    try {
      const spec = openObject(bytes, { path: `${object}.bpf.o` });
      const loaded = loadObject(kernel, spec, { programs: [name], logLevel: level, logSize: LOG_BYTES });
      const program = loaded.programs.get(name);
      if (!program) throw new Error(`${object} has no program ${name}`);
      // The process of the capture had ended when the dumps were made: only the program was left, pinned.
      for (const { fd } of loaded.maps.values()) this.kernel.close(fd);
      return { fd: program.fd, errno: 0, log: program.log };
    } catch (e) {
      if (e instanceof LoadError) return { fd: -1, errno: e.errno, log: e.log };
      // Refused before the verifier had a word to say, or after all programs were loaded.
      if (e instanceof SysError) return { fd: -1, errno: e.errno, log: said };
      return { fd: -1, errno: -1, log: e instanceof Error ? (e.stack ?? e.message) : String(e) };
    }
  }

  private async program(bytes: Uint8Array, object: string, truth: CapturedProgram): Promise<void> {
    const what = `${object}/${truth.name}`;
    const first = this.load(bytes, object, truth.name, 1);
    const second = this.load(bytes, object, truth.name, 2);
    if (second.fd >= 0) this.kernel.close(second.fd);
    this.check('verdict', what, `${first.errno} ${first.errno < 0 ? first.log : ''}`, `${truth.errno} `);
    if (truth.errno === 0) this.check('counts', what, countLines(first.log), countLines(truth.log1));
    else this.check('reason', what, maskLog(lastLine(first.log)), maskLog(lastLine(truth.log1)));
    this.check('log1', what, maskLog(first.log), maskLog(truth.log1));
    this.check('log2', what, maskLog(second.log), maskLog(truth.log2));
    if (truth.errno !== 0) return;
    const listing = truth.texts?.['prog dump jited PROG opcodes linum'] ?? '';
    const { xlated = '', jited = '' } = truth;
    const mask = jitedMask(listing);
    const info = first.fd >= 0 ? this.kernel.progInfo(first.fd) : undefined;
    const hex = (b: Uint8Array | undefined): string => Buffer.from(b ?? []).toString('hex');
    this.check('xlated', what, maskXlatedBytes(hex(info?.xlated)), maskXlatedBytes(xlated));
    const code = hex(info?.jited);
    this.check('jited', what, sameJited(code, jited, mask) ? jited : code, jited);
    for (const words of PROG_TEXTS) {
      const key = words.join(' ');
      const [metric, hide]: [Metric, (t: string) => string] = key.includes('xlated')
        ? ['dump xlated', maskXlated]
        : key.includes('jited')
          ? ['dump jited', maskJited]
          : [key.includes('map') ? 'map show' : 'prog show', maskShow];
      const ids = key.includes('MAP') ? (info?.mapIds ?? []) : info ? [info.id] : [];
      let ours = '';
      for (const id of ids) {
        const line = words.flatMap((w) => (w === 'PROG' || w === 'MAP' ? ['id', String(id)] : [w]));
        try {
          ours += (await this.bpftool(line)).out;
        } catch (e) {
          ours += e instanceof Error ? e.stack : String(e);
        }
      }
      this.check(metric, `${what}: ${key}`, hide(ours), hide(truth.texts?.[key] ?? ''));
    }
    if (first.fd >= 0) this.kernel.close(first.fd);
  }

  async object(name: string): Promise<void> {
    const truth: CapturedObject = readExpected(name);
    const bytes = readFileSync(objectPath(name));
    for (const program of truth.programs) if (!refusedUnseen(program)) await this.program(bytes, name, program);
    for (const words of BTF_TEXTS) {
      const line = words.map((w) => (w === 'OBJECT' ? objectPath(name) : w));
      const key = words.join(' ');
      this.check('btf', `${name}: ${key}`, (await this.bpftool(line)).out, truth.btf[key]);
    }
    // Other corpora than that of the project have no such captures.
    if (!process.env.CORPUS) {
      await compareLight(
        name,
        (words) => this.bpftool(words),
        (...difference) => this.check('light', ...difference),
      );
    }
    if (truth.programs.some(refusedUnseen)) return;
    const before = process.cwd();
    process.chdir(objectFolder);
    try {
      const { status, err } = await this.bpftool(['prog', 'loadall', `${name}.bpf.o`, PINS]);
      this.check('load', name, `${status}\n${maskLog(err)}`, `${truth.load.status}\n${maskLog(truth.load.stderr)}`);
    } finally {
      process.chdir(before);
      this.removeTree(PINS);
    }
  }

  private removeTree(path: string): void {
    let entries: ReturnType<Kernel['treeList']>;
    try {
      entries = this.kernel.treeList(path);
    } catch {
      return;
    }
    for (const { name, kind } of entries) {
      if (kind === 'dir') this.removeTree(`${path}/${name}`);
      else this.kernel.treeUnlink(`${path}/${name}`);
    }
    this.kernel.treeUnlink(path);
  }

  async system(): Promise<void> {
    const truth = readSystem();
    for (const words of VMLINUX_TEXTS) {
      const key = words.join(' ');
      this.check('vmlinux', key, sha256((await this.bpftool(words)).out), truth.vmlinux[key]);
    }
    for (const words of SYSTEM_TEXTS) {
      const key = words.join(' ');
      this.check('feature', key, withoutPolicy((await this.bpftool(words)).out), withoutPolicy(truth.texts[key]));
    }
  }
}

/** Lines and fields about the program types that the captured kernel refuses by a policy of its own. */
const withoutPolicy = (text: string): string =>
  text
    .replace(/^eBPF program_type (?:tracing|ext|lsm) is .*\n/gm, '')
    .replace(/^eBPF helpers supported for program type (?:tracing|ext|lsm):\n.*\n/gm, '')
    .replace(/^#define X_(?:NO_)?HAVE_(?:TRACING|EXT|LSM)_PROG_TYPE\n/gm, '')
    .replace(/"have_(?:tracing|ext|lsm)_prog_type":(?:true|false),/g, '');

/** One object through a kernel of its own. */
export async function compareObject(
  open: () => Kernel,
  name: string,
  ledger: Ledger,
  onDifference: OnDifference,
): Promise<void> {
  const kernel = open();
  try {
    await new Comparison(kernel, ledger, onDifference).object(name);
  } finally {
    kernel.closeAll();
  }
}

/** Everything, through kernels that `open` makes: one for each object. */
export async function compareAll(
  open: () => Kernel,
  ledger: Ledger,
  onDifference: OnDifference = () => undefined,
  only?: readonly string[],
): Promise<void> {
  for (const name of objectNames()) {
    if (!only?.length || only.includes(name)) await compareObject(open, name, ledger, onDifference);
  }
  if (only?.length && !only.includes('@system')) return;
  const kernel = open();
  try {
    await new Comparison(kernel, ledger, onDifference).system();
  } finally {
    kernel.closeAll();
  }
}
