// Loads the programs of an object into a simulated kernel as the kernel's own test loader does, and compares what comes
// of it with what their tags expect.
import { SysError } from '../../src/errno.ts';
import { disasmInsn } from '../../src/isa/disasm.ts';
import { decodeInsns, type Insn, LDIMM64 } from '../../src/isa/insn.ts';
import { CALL_KIND } from '../../src/isa/opcode.ts';
import { MAP_TYPE, type MapTypeName, PROG_TYPE } from '../../src/isa/uapi.ts';
import { type LoadedImage, loadImage } from '../../src/kernel/image/load.ts';
import { openSimulatedKernel } from '../../src/kernel/index.ts';
import { ALL_CAPABILITIES, type Capabilities } from '../../src/kernel/objects.ts';
import { LoadError } from '../../src/object/errors.ts';
import { loadObject } from '../../src/object/load.ts';
import type { Print } from '../../src/object/print.ts';
import { cloneSpec, entryPrograms, type ObjectSpec } from '../../src/object/spec.ts';
import type { Kernel } from '../../src/syscall.ts';
import { mismatch } from './messages.ts';
import { type Expectation, readSpec, type TestSpec } from './spec.ts';

const LOG_BYTES = 2 << 20;
const ZERO_SEED = 64;

/** Numbers of capabilities. */
const CAP = { netAdmin: 12, sysAdmin: 21, perfmon: 38, bpf: 39 } as const;

/** Map types that are made without capabilities. */
const UNPRIVILEGED_MAPS: ReadonlySet<number> = new Set(
  (
    [
      'hash',
      'percpu_hash',
      'hash_of_maps',
      'percpu_cgroup_storage',
      'array',
      'ringbuf',
      'prog_array',
      'cgroup_array',
      'percpu_array',
      'user_ringbuf',
      'array_of_maps',
      'cgroup_storage',
      'perf_event_array',
    ] as MapTypeName[]
  ).map((name) => MAP_TYPE[name]),
);

/** What libbpf says of references that lead nowhere. */
const LACKING = /not found in kernel|failed to find kernel BTF type ID/;

export interface Verdict {
  program: string;
  /** With the word for a caller without capabilities. */
  name: string;
  /** undefined: as expected. */
  problem: string | undefined;
  /** The kernel lacks what the program refers to, such as a module for tests. */
  lacking: boolean;
  log: string;
}

const base: LoadedImage = loadImage();

/** Options that the tests want a kernel to have: programs may sleep in system calls, signatures can be verified. */
const WANTED: ReadonlySet<string> = new Set(['CONFIG_FUNCTION_ERROR_INJECTION', 'CONFIG_SYSTEM_DATA_VERIFICATION']);
const image: LoadedImage = Object.create(base, {
  config: { value: (name: string) => (WANTED.has(name) ? 'y' : base.config(name)) },
});

/** The same, where everybody may load programs. */
const openImage: LoadedImage = Object.create(image, {
  sysctl: { value: (path: string) => (path === 'kernel/unprivileged_bpf_disabled' ? '0' : base.sysctl(path)) },
});

/** The program after its rewrites, as the tests print it. */
function listing(kernel: Kernel, fd: number): string {
  const insns = decodeInsns(kernel.progInfo(fd).xlated);
  const lines: string[] = [];
  for (let i = 0; i < insns.length; i++) {
    const callName = ({ src, off }: Insn): string | undefined =>
      src === CALL_KIND.PSEUDO ? `${off < 0 ? '' : '+'}${off}` : undefined;
    const text = disasmInsn(insns[i], insns[i + 1], { callName }).replace(/^\([0-9a-f]{2}\) /, '');
    lines.push(`${i}: ${text.startsWith('call ') ? text.replace(/#[^#]*$/, '') : text}`);
    if (insns[i].code === LDIMM64) i++;
  }
  return `${lines.join('\n')}\n`;
}

function capabilitiesOf(spec: TestSpec): Capabilities {
  const has = (cap: keyof typeof CAP): boolean => spec.capabilities.includes(CAP[cap]);
  return { bpf: has('bpf'), perfmon: has('perfmon'), netAdmin: has('netAdmin'), sysAdmin: has('sysAdmin') };
}

interface Result {
  errno: number;
  log: string;
  xlated: string;
  reason: string;
}

/** The object with only what one test loads. */
function prepared(object: ObjectSpec, spec: TestSpec, programs: readonly string[], privileged: boolean): ObjectSpec {
  const copy = cloneSpec(object);
  for (const program of copy.programs) {
    if (program.name === spec.program) program.flags |= spec.flags;
    if (!program.subprogram) program.autoload = programs.includes(program.name);
  }
  for (const map of copy.maps) {
    const seeded = [MAP_TYPE.hash, MAP_TYPE.percpu_hash].includes(map.type as 1) && map.flags & ZERO_SEED;
    map.autocreate = privileged || (UNPRIVILEGED_MAPS.has(map.type) && !seeded);
  }
  return copy;
}

function load(object: ObjectSpec, spec: TestSpec, programs: readonly string[], privileged: boolean): Result {
  const capabilities = privileged ? ALL_CAPABILITIES : capabilitiesOf(spec);
  const kernel = openSimulatedKernel({
    statePath: ':memory:',
    image: privileged ? image : openImage,
    capabilities,
  });
  const warnings: string[] = [];
  const print: Print = (level, text) => {
    if (level === 'warn') warnings.push(text.trim());
  };
  try {
    const copy = prepared(object, spec, programs, privileged);
    const loaded = loadObject(kernel, copy, { programs, logLevel: spec.logLevel, logSize: LOG_BYTES, print });
    const { fd, log } = loaded.programs.get(spec.program) ?? { fd: -1, log: '' };
    const xlated = capabilities.bpf ? listing(kernel, fd) : '';
    return { errno: 0, log, xlated, reason: '' };
  } catch (e) {
    if (e instanceof LoadError) return { errno: e.errno, log: e.log, xlated: '', reason: e.message };
    const reason = warnings[0] ?? '';
    if (e instanceof SysError) return { errno: e.errno, log: '', xlated: '', reason };
    throw e;
  } finally {
    kernel.closeAll();
  }
}

function judge({ errno, log, xlated, reason }: Result, expected: Expectation): string | undefined {
  if (expected.fails && errno === 0) return 'loads, but must not';
  if (!expected.fails && errno !== 0) return `does not load (${errno}): ${reason}`;
  const problem = mismatch(log, expected.log);
  if (problem !== undefined) return log === '' && reason !== '' ? `${problem} (${reason})` : problem;
  return xlated === '' ? undefined : mismatch(xlated, expected.xlated);
}

/** Runs every test of an object. */
export function* runTests(object: ObjectSpec): Generator<Verdict> {
  const { btf } = object;
  if (!btf) return;
  const specs = entryPrograms(object)
    .map((p) => readSpec(btf, p.name))
    .filter((spec) => spec !== undefined);
  const helpers = (caller: 'privileged' | 'unprivileged'): string[] =>
    specs.filter((spec) => spec.auxiliary && spec[caller]).map((spec) => spec.program);
  for (const spec of specs) {
    if (spec.auxiliary || !spec.applies || spec.btfPath !== undefined) continue;
    for (const caller of ['privileged', 'unprivileged'] as const) {
      const privileged = caller === 'privileged';
      const expected = spec[caller];
      if (!expected) continue;
      const result = load(object, spec, [...helpers(caller), spec.program], privileged);
      const name = privileged ? spec.program : `${spec.program} @unpriv`;
      const lacking = result.log === '' && LACKING.test(result.reason);
      yield { program: spec.program, name, problem: judge(result, expected), lacking, log: result.log };
    }
  }
}

/** Program types that some machines refuse by a rule of their own before they look at the program. */
export const HOOKS: ReadonlySet<number> = new Set([PROG_TYPE.tracing, PROG_TYPE.lsm, PROG_TYPE.ext]);
