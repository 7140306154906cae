// node scripts/capture-run/main.ts
//
// Asks the running kernel (BPF_PROG_TEST_RUN) what programs do, and writes its answers to testdata/run: the cases of
// src/kernel/run/cases, and digests of what random programs and those of the corpus leave behind. Needs root on Linux 6.18.
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { encodeInsns, LDIMM64 } from '../../src/isa/insn.ts';
import { PSEUDO } from '../../src/isa/opcode.ts';
import { MAP_TYPE, PROG_TYPE } from '../../src/isa/uapi.ts';
import { loadImage } from '../../src/kernel/image/load.ts';
import { hasValues, NO_LINK_LAYER } from '../../src/kernel/run/cases/answer.ts';
import type { RunAnswer, RunCase } from '../../src/kernel/run/cases/case.ts';
import { RUN_CASES } from '../../src/kernel/run/cases/index.ts';
import { MAP_VALUE_BYTES, testProgram } from '../../src/kernel/run/test-programs.ts';
import { nativeCalls } from '../../src/live/bpf-call.ts';
import { openLiveKernel } from '../../src/live/live-kernel.ts';
import { askKernel, type CorpusAnswer, canRun, corpusPrograms } from './corpus.ts';
import { elementsOf } from './elements.ts';
import { functionBtf, functionRecords } from './functions.ts';
import { testRun } from './test-run.ts';

const FOLDER = fileURLToPath(new URL('../../testdata/run/', import.meta.url));
const SLEEPABLE = 16;
const RANDOM_PROGRAMS = 4000;

const native = nativeCalls();
const kernel = openLiveKernel();
const image = loadImage();
const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'));
const hex = (data: Uint8Array): string => Buffer.from(data).toString('hex');

function makeMaps(theCase: RunCase): number[] {
  return (theCase.maps ?? []).map(({ type, key, value, max, elements = [] }) => {
    const flags = type === 'lpm_trie' ? 1 : 0;
    const fd = kernel.mapCreate({ type: MAP_TYPE[type], keySize: key, valueSize: value, maxEntries: max, flags });
    for (const [k, v] of elements) kernel.mapUpdate(fd, bytes(k), bytes(v));
    return fd;
  });
}

let typesFd = 0;
function functionTypes(): number {
  typesFd ||= kernel.btfLoad({ bytes: functionBtf() });
  return typesFd;
}

function load(theCase: RunCase, maps: readonly number[]): number {
  const insns = theCase.insns.map((insn) => {
    const names = insn.code === LDIMM64 && (insn.src === PSEUDO.MAP_FD || insn.src === PSEUDO.MAP_VALUE);
    return names ? { ...insn, imm: maps[insn.imm - 1] } : insn;
  });
  const log = { level: 1, size: 1 << 20, text: '' };
  try {
    const flags = theCase.type === 'syscall' ? SLEEPABLE : 0;
    const callbacks = insns.flatMap(({ code, src, imm }, i) =>
      code === LDIMM64 && src === PSEUDO.FUNC ? [i + imm + 1] : [],
    );
    const types = callbacks.length === 0 ? {} : { btfFd: functionTypes(), funcInfo: functionRecords(callbacks) };
    const type = PROG_TYPE[theCase.type];
    return kernel.progLoad({ type, insns: encodeInsns(insns), license: 'GPL', flags, log, ...types });
  } catch (error) {
    process.stderr.write(`${theCase.name}\n${log.text}`);
    throw error;
  }
}

function answer(theCase: RunCase): RunAnswer {
  const maps = makeMaps(theCase);
  const fd = load(theCase, maps);
  for (const slot of theCase.ownSlots ?? []) {
    kernel.mapUpdate(maps[0], Uint8Array.of(slot, 0, 0, 0), new Uint8Array(Uint32Array.of(fd).buffer));
  }
  const data = theCase.data === undefined ? undefined : bytes(theCase.data);
  const context = theCase.context === undefined ? undefined : bytes(theCase.context);
  const result = testRun(native, fd, { ...(data ? { data } : {}), ...(context ? { context } : {}) });
  const found: RunAnswer = {
    retval: result.retval,
    ...(data === undefined || NO_LINK_LAYER.has(theCase.type) ? {} : { data: hex(result.data) }),
    ...(context === undefined ? {} : { context: hex(context) }),
    ...(theCase.maps === undefined
      ? {}
      : { maps: theCase.maps.map((map, i) => (hasValues(map.type) ? elementsOf(kernel, maps[i], map.value) : [])) }),
  };
  for (const open of [fd, ...maps]) kernel.close(open);
  return found;
}

/** What random program `seed` leaves: the first bytes of the hash of its context and result. */
function digest(seed: number, map: number): string {
  const { insns, context, mapValue } = testProgram(seed, map);
  kernel.mapUpdate(map, new Uint8Array(4), mapValue);
  const attr = { type: PROG_TYPE.syscall, insns: encodeInsns(insns), license: 'GPL', flags: SLEEPABLE };
  const fd = kernel.progLoad(attr);
  const { retval } = testRun(native, fd, { context });
  kernel.close(fd);
  return createHash('sha256').update(context).update(String(retval)).digest('hex').slice(0, 8);
}

mkdirSync(FOLDER, { recursive: true });
const answers = Object.fromEntries(RUN_CASES.map((theCase) => [theCase.name, answer(theCase)]));
writeFileSync(`${FOLDER}cases.json`, `${JSON.stringify(answers, null, 1)}\n`);
const map = kernel.mapCreate({ type: MAP_TYPE.array, keySize: 4, valueSize: MAP_VALUE_BYTES, maxEntries: 1 });
const digests = Array.from({ length: RANDOM_PROGRAMS }, (_, i) => digest(i + 1, map));
writeFileSync(`${FOLDER}random.json`, `${JSON.stringify(digests)}\n`);
const corpus: Record<string, CorpusAnswer> = {};
let cannot = 0;
for (const { name, program, open } of corpusPrograms()) {
  const [first, second] = [0, 1].map(() => askKernel(kernel, native, open, program));
  // What differs from run to run depends on time or chance.
  if (first === undefined || JSON.stringify(first) !== JSON.stringify(second)) continue;
  if (canRun(image, open, program)) corpus[name] = first;
  else cannot++;
}
writeFileSync(`${FOLDER}corpus.json`, `${JSON.stringify(corpus, null, 1)}\n`);
kernel.closeAll();
const counts = [RUN_CASES.length, digests.length, Object.keys(corpus).length];
process.stdout.write(
  `${counts[0]} cases, ${counts[1]} random programs, ${counts[2]} programs of the corpus (${cannot} more use what no machine has)\n`,
);
