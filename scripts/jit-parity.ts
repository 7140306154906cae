// Compares our machine code with what a running kernel made of the same programs, byte by byte.
//
//   node scripts/jit-parity.ts captures.jsonl [--fixture out.json[.zst] [--every N]]
//
// The captures come from scripts/capture-jit.py. Addresses that the kernel does not tell (maps, per-CPU memory, the
// arena) are read from its code where ours has a constant of 64 bits; everything else must be equal. With --fixture
// every Nth program of a family, but at least four, is written as test data for src/kernel/jit/captured.test.ts.
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { zstdCompressSync } from 'node:zlib';
import type { Insn } from '../src/isa/insn.ts';
import { decodeInsns, encodeInsns, LDIMM64 } from '../src/isa/insn.ts';
import type { Fixture, FixtureCase, FixtureKernel } from '../src/kernel/jit/fixture.ts';
import { fixtureImage, fixtureInput } from '../src/kernel/jit/fixture.ts';
import type { JitInput, JitOutput } from '../src/kernel/jit/jit.ts';
import { jitProgram } from '../src/kernel/jit/jit.ts';

interface Capture {
  name: string;
  type: string;
  xlated: string;
  jited: string;
  depths: number[];
  lens: number[];
  ksyms: string[];
  /** Of each tail call in order: through the poke table? */
  direct?: number[];
  /** Of each entry of the poke table: is the slot filled? */
  targets?: boolean[];
  target?: string;
  probe?: 'kernel' | 'arena';
  probed?: number[];
  exception?: boolean;
  handler?: number;
  user?: string;
}

const CALL = 0x85;
const TAIL_CALL = 0xf5;
const HELPER_TAIL_CALL = 12;
const MAP_PLACEHOLDER = 0xffff888000000000n;
const PRIVATE_PLACEHOLDER = 0x600000000000n;
const MIN_PRIVATE_STACK = 64;
const TRACING: ReadonlySet<string> = new Set(['kprobe', 'tracepoint', 'raw_tracepoint', 'perf_event']);

const isLocalCall = (x: Insn): boolean => x.code === CALL && x.src === 1;
const isFunctionAddress = (x: Insn): boolean => x.code === LDIMM64 && x.src === 4;

/** First instruction of each function, from the calls and addresses that name it. */
function functionStarts(insns: readonly Insn[], capture: Capture): number[] {
  const starts = [0];
  insns.forEach((x, i) => {
    if (isLocalCall(x)) starts[x.imm] = i + x.off + 1;
    else if (isFunctionAddress(x)) starts[insns[i + 1].imm] = i + x.imm + 1;
  });
  if (capture.exception && capture.handler === undefined) starts[capture.depths.length - 1] = insns.length - 2;
  if (capture.handler !== undefined) starts[capture.handler] ??= findExit(insns, starts[capture.handler - 1] ?? 0) + 1;
  return starts;
}

/** Nothing calls a handler: it follows the exit of the function before. */
const findExit = (insns: readonly Insn[], from: number): number =>
  insns.findIndex((x, i) => i >= from && x.code === 0x95 && insns[i + 1] !== undefined);

/** Undoes what the kernel hides from user space. */
function internal(insns: Insn[], capture: Capture, unknown: Set<number>): void {
  let tail = 0;
  let poke = 0;
  for (let i = 0; i < insns.length; i++) {
    const x = insns[i];
    if (x.code === CALL && x.src === 0 && x.imm === HELPER_TAIL_CALL) {
      x.code = TAIL_CALL;
      x.imm = capture.direct?.[tail++] ? ++poke : 0;
    } else if (isLocalCall(x)) {
      x.off = x.imm;
    } else if (isFunctionAddress(x)) {
      x.off = insns[i + 1].imm;
    } else if (x.code === LDIMM64 && (x.src === 1 || x.src === 2)) {
      x.src = 0;
      unknown.add(i);
      setConstant(insns, i, MAP_PLACEHOLDER);
    }
    if (x.code === LDIMM64) i++;
  }
  if (capture.probe) for (const x of insns) probe(x, capture.probe, new Set(capture.probed));
}

/** Puts the mode back that marks accesses to memory that may not be there. */
function probe(x: Insn, kind: 'kernel' | 'arena', pointers: ReadonlySet<number>): void {
  const width = x.code & 0x18;
  if ((x.code & 7) === 1 && (x.code & 0xe0) === 0x60 && pointers.has(x.src)) {
    x.code = 1 | width | (kind === 'arena' ? 0xa0 : 0x20);
  } else if (kind === 'arena' && ((x.code & 7) === 2 || (x.code & 7) === 3) && (x.code & 0xe0) === 0x60) {
    if (pointers.has(x.dst)) x.code = (x.code & 7) | width | 0xa0;
  }
}

function setConstant(insns: Insn[], at: number, value: bigint): void {
  insns[at].imm = Number(BigInt.asIntN(32, value));
  insns[at + 1].imm = Number(BigInt.asIntN(32, value >> 32n));
}

/** Which functions must carry the tail call counter. rule: check_max_stack_depth_subprog, 6.18 */
function tailCallReachable(functions: readonly Insn[][]): boolean[] {
  const own = functions.map((f) => f.some((x) => x.code === TAIL_CALL));
  const reachable = [...own];
  let seen = false;
  const walk = (index: number, callers: readonly number[]): void => {
    for (const x of functions[index]) {
      if (!isLocalCall(x) && !isFunctionAddress(x)) continue;
      seen ||= own[x.off];
      walk(x.off, [...callers, index]);
    }
    if (seen) for (const caller of callers) reachable[caller] = true;
  };
  walk(0, []);
  return reachable;
}

function toFixture(capture: Capture): { item: FixtureCase; unknown: Set<number>[] } {
  const insns = decodeInsns(Buffer.from(capture.xlated, 'hex'));
  const starts = functionStarts(insns, capture);
  const unknownAll = new Set<number>();
  internal(insns, capture, unknownAll);
  const parts = starts.map((start, i) => insns.slice(start, starts[i + 1] ?? insns.length));
  const unknown = starts.map(
    (start, i) =>
      new Set([...unknownAll].filter((n) => n >= start && n < (starts[i + 1] ?? insns.length)).map((n) => n - start)),
  );
  const reachable = tailCallReachable(parts);
  const noTail = !insns.some((x) => x.code === TAIL_CALL);
  const code = Buffer.from(capture.jited, 'hex');
  let at = 0;
  const item: FixtureCase = {
    name: capture.name,
    functions: parts.map((part, i) => {
      const end = at + (capture.lens[i] ?? 0);
      const bytes = code.subarray(at, end).toString('hex');
      at = end;
      const priv = TRACING.has(capture.type) && noTail && ((capture.depths[i] + 15) & ~15) >= MIN_PRIVATE_STACK;
      return {
        insns: Buffer.from(encodeInsns(part)).toString('hex'),
        depth: capture.depths[i],
        ...(reachable[i] && { tail: true }),
        ...(priv && { privateStack: `0x${(PRIVATE_PLACEHOLDER + BigInt(i << 16)).toString(16)}` }),
        ...(capture.exception && i === (capture.handler ?? starts.length - 1) && { handler: true }),
        ...(capture.exception && i === 0 && { boundary: true }),
        address: capture.ksyms[i] ?? '0xffffffffc0000000',
        bytes,
      };
    }),
  };
  if (capture.targets?.length)
    item.pokes = capture.targets.map((filled) => (filled ? (capture.target as string) : null));
  if (capture.user) item.arena = ['0xffffc90000000000', capture.user];
  return { item, unknown };
}

/** Takes the addresses that only the kernel knows from its code, at the places where our code has a constant. */
function resolve(
  item: FixtureCase,
  unknown: readonly Set<number>[],
  input: JitInput,
  ours: readonly JitOutput[],
): void {
  item.functions.forEach((f, n) => {
    const theirs = Buffer.from(f.bytes, 'hex');
    if (theirs.length === 0) return;
    const insns = decodeInsns(Buffer.from(f.insns, 'hex'));
    for (const i of unknown[n]) {
      const at = ours[n].insnOffsets[i];
      if (at + 10 <= theirs.length && theirs[at + 1] >> 3 === 0xb8 >> 3)
        setConstant(insns, i, theirs.readBigUInt64LE(at + 2));
    }
    f.insns = Buffer.from(encodeInsns(insns)).toString('hex');
    const prologue = theirs.subarray(0, ours[n].insnOffsets[0]);
    const priv = prologue.indexOf(Buffer.from('49b9', 'hex'));
    const depth = (input.functions[n].stackDepth + 7) & ~7;
    if (f.privateStack && priv >= 0)
      f.privateStack = `0x${(prologue.readBigUInt64LE(priv + 2) - BigInt(depth + 8)).toString(16)}`;
    const base = prologue.indexOf(Buffer.from('49bc', 'hex'));
    if (item.arena && base >= 0) item.arena[0] = `0x${prologue.readBigUInt64LE(base + 2).toString(16)}`;
  });
}

function compare(item: FixtureCase, ours: readonly JitOutput[]): string | undefined {
  for (let n = 0; n < item.functions.length; n++) {
    const theirs = item.functions[n].bytes;
    if (theirs === '') continue;
    const mine = Buffer.from(ours[n].bytes).toString('hex');
    if (mine === theirs) continue;
    let at = 0;
    while (mine[at] === theirs[at]) at++;
    at >>= 1;
    const index = ours[n].insnOffsets.findIndex((offset) => offset > at) - 1;
    const wire = item.functions[n].insns.slice(index * 16, index * 16 + 16);
    const from = Math.max(0, at - 4) * 2;
    return `function ${n} byte 0x${at.toString(16)} insn ${index} ${wire}: kernel …${theirs.slice(from, from + 40)} ours …${mine.slice(from, from + 40)}`;
  }
  return undefined;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { fixture: { type: 'string' }, every: { type: 'string', default: '1' } },
});
const lines = readFileSync(positionals[0], 'utf8').trimEnd().split('\n');
const kernel = JSON.parse(lines[0]) as FixtureKernel;
const image = fixtureImage(kernel);
const cases: FixtureCase[] = [];
let differences = 0;
let bytes = 0;
for (const line of lines.slice(1)) {
  const capture = JSON.parse(line) as Capture;
  const { item, unknown } = toFixture(capture);
  try {
    const input = fixtureInput(item, image);
    resolve(item, unknown, input, jitProgram(input));
    const difference = compare(item, jitProgram(fixtureInput(item, image)));
    if (difference) {
      differences++;
      if (differences < 20) console.log(`${capture.name}: ${difference}`);
    }
  } catch (error) {
    differences++;
    if (differences < 20) console.log(`${capture.name}: ${error}`);
  }
  bytes += capture.jited.length / 2;
  cases.push(item);
}
console.log(`${cases.length} programs, ${bytes} bytes, ${differences} differences`);
if (values.fixture) {
  const every = Number(values.every);
  // At least four of each family.
  const picked = Object.values(Object.groupBy(cases, (item) => item.name.replace(/-.*/, ''))).flatMap((family = []) => {
    const step = Math.max(1, Math.min(every, Math.floor(family.length / 4)));
    return family.filter((_, i) => i % step === 0);
  });
  const fixture: Fixture = { kernel, cases: picked };
  const text = `${JSON.stringify(fixture).replaceAll('{"name"', '\n{"name"')}\n`;
  writeFileSync(values.fixture, values.fixture.endsWith('.zst') ? zstdCompressSync(text) : text);
}
