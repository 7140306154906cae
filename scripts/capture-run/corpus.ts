// Programs of the corpus that BPF_PROG_TEST_RUN can run, and what they leave: in the running kernel and in a machine.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { SysError } from '../../src/errno.ts';
import { MAP_TYPES, PROG_TYPE, PROG_TYPES, type ProgTypeName } from '../../src/isa/uapi.ts';
import type { LoadedImage } from '../../src/kernel/image/load.ts';
import { SkbContext } from '../../src/kernel/run/contexts/skb.ts';
import { XdpContext } from '../../src/kernel/run/contexts/xdp.ts';
import { pointerKindOf } from '../../src/kernel/run/embedding/embed.ts';
import { HELPER_TABLES } from '../../src/kernel/run/helpers/index.ts';
import { kfuncOf } from '../../src/kernel/run/kfuncs.ts';
import { Machine } from '../../src/kernel/run/machine.ts';
import { keyIndex } from '../../src/kernel/run/maps/array.ts';
import { RunHolder } from '../../src/kernel/run/maps/holders.ts';
import { addMap, canRunMap } from '../../src/kernel/run/maps/index.ts';
import { RunFault } from '../../src/kernel/run/memory.ts';
import { prepare } from '../../src/kernel/run/program.ts';
import type { RunMap } from '../../src/kernel/run/run-map.ts';
import { analyse } from '../../src/kernel/verifier/analyse.ts';
import { VerifierEnv } from '../../src/kernel/verifier/env.ts';
import type { NativeCalls } from '../../src/live/bpf-call.ts';

import { LoadError } from '../../src/object/errors.ts';
import { type LoadedObject, loadObject } from '../../src/object/load.ts';
import { openObject } from '../../src/object/open.ts';
import { entryPrograms, type ObjectSpec } from '../../src/object/spec.ts';
import type { Kernel } from '../../src/syscall.ts';
import { objectNames, objectPath } from '../corpus.ts';
import { PaperKernel } from '../embedding/paper-kernel.ts';
import { elementsOf } from './elements.ts';
import { testRun } from './test-run.ts';

const RUNNABLE: ReadonlySet<ProgTypeName> = new Set(['socket_filter', 'sched_cls', 'xdp', 'syscall', 'cgroup_skb']);
const AT_LINK_LAYER: ReadonlySet<ProgTypeName> = new Set(['sched_cls']);
const SYSCALL_CONTEXT_BYTES = 256;
const LINK_HEADER_BYTES = 14;
const COMPARED: ReadonlySet<string> = new Set(['array', 'hash', 'lru_hash', 'percpu_array', 'percpu_hash']);

const ETHERNET = '001122334455667788990a0b';
/** UDP over IPv4, TCP over IPv6, and something else. */
const FRAMES: readonly Uint8Array[] = [
  `${ETHERNET}08004500002e1234400040110000c0a80001c0a8000204d20035001a0000${'0102030405060708'.repeat(4)}`,
  `${ETHERNET}86dd600000000028064020010db8000000000000000000000001${'20010db8000000000000000000000002'}`.concat(
    `01bb005000000001000000025002ffff00000000${'aa'.repeat(20)}`,
  ),
  `${ETHERNET}0806${'0001080006040001'.repeat(8)}`,
].map((hex) => Uint8Array.from(Buffer.from(hex, 'hex')));

/** For each frame: r0, and a digest of packet and maps. */
export type CorpusAnswer = [retval: number, digest: string][];

/** Objects with their programs that can be run; the loader decides which. */
export function* corpusPrograms(): Iterable<{ name: string; program: string; open: () => ObjectSpec }> {
  for (const object of objectNames()) {
    const path = objectPath(object);
    const bytes = readFileSync(path);
    const open = (): ObjectSpec => openObject(bytes, { path });
    for (const { name, type } of entryPrograms(open())) {
      if (RUNNABLE.has(PROG_TYPES[type])) yield { name: `${object}/${name}`, program: name, open };
    }
  }
}

/** Names of maps with their elements, sorted. */
type Contents = [string, [string, string][]][];

function digestOf(data: Uint8Array, contents: Contents): string {
  const sorted = [...contents].sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256').update(data).update(JSON.stringify(sorted)).digest('hex').slice(0, 8);
}

const inputOf = (type: number, frame: Uint8Array) =>
  type === PROG_TYPE.syscall ? { context: new Uint8Array(SYSCALL_CONTEXT_BYTES) } : { data: frame };

/** What the running kernel says; undefined where it does not take or run the program. */
export function askKernel(
  kernel: Kernel,
  native: NativeCalls,
  open: () => ObjectSpec,
  program: string,
): CorpusAnswer | undefined {
  const answers: CorpusAnswer = [];
  for (const frame of FRAMES) {
    try {
      const { programs, maps } = loadObject(kernel, open(), { programs: [program] });
      const { fd, spec } = programs.get(program) ?? { fd: -1, spec: undefined };
      const input = inputOf(spec?.type ?? 0, frame);
      const { retval, data } = testRun(native, fd, input);
      const contents: Contents = [];
      for (const map of maps.values()) {
        const info = kernel.mapInfo(map.fd);
        if (COMPARED.has(MAP_TYPES[info.type])) contents.push([info.name, elementsOf(kernel, map.fd, info.valueSize)]);
      }
      answers.push([retval, digestOf(input.context ?? data, contents)]);
      for (const { fd: opened } of [...programs.values(), ...maps.values()]) kernel.close(opened);
    } catch (error) {
      if (error instanceof LoadError || error instanceof SysError) return undefined;
      throw error;
    }
  }
  return answers;
}

/** Keys in their order, with the values of the CPU that ran. */
function contentsOf(m: Machine, map: RunMap): [string, string][] {
  return [...map.elements(m.cpu)]
    .map(({ key, address }): [string, string] => [
      Buffer.from(key).toString('hex'),
      Buffer.from(m.memory.bytesAt(address, map.map.valueSize)).toString('hex'),
    ])
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

/** A program of the corpus as it runs. */
interface Prepared {
  kernel: PaperKernel;
  loaded: LoadedObject;
  env: VerifierEnv;
}

function verified(image: LoadedImage, open: () => ObjectSpec, program: string): Prepared {
  const kernel = new PaperKernel(image);
  const loaded = loadObject(kernel, open(), { programs: [program], kernelBtf: image.btf() });
  const request = kernel.requests.get(loaded.programs.get(program)?.fd ?? -1);
  if (request === undefined) throw new RunFault('not loaded');
  const env = new VerifierEnv(request);
  if (analyse(env) !== 0) throw new RunFault('rejected');
  return { kernel, loaded, env };
}

/** Maps with what the object says is in them; gives those whose contents are compared. */
function fillMaps(m: Machine, { kernel, loaded }: Prepared): [string, RunMap][] {
  const compared: [string, RunMap][] = [];
  const byFd = new Map<number, RunMap>();
  for (const { fd } of loaded.maps.values()) {
    const map = kernel.mapOf(fd);
    if (!canRunMap(map.type)) continue;
    const made = addMap(m, map);
    byFd.set(fd, made);
    if (COMPARED.has(MAP_TYPES[map.type])) compared.push([map.name, made]);
    for (const [key, value] of kernel.elementsOf(fd)) {
      if (made instanceof RunHolder) made.set(key, byFd.get(keyIndex(value)));
      else made.update(key, value, 0n, m.cpu);
    }
  }
  return compared;
}

/** The context, and how the packet or context looks afterwards. */
function contextOf(m: Machine, image: LoadedImage, type: ProgTypeName, frame: Uint8Array): [bigint, () => Uint8Array] {
  if (type === 'syscall') {
    const region = m.memory.add({ size: SYSCALL_CONTEXT_BYTES });
    return [region.base, () => region.bytes];
  }
  const linkLayer = AT_LINK_LAYER.has(type);
  const { region, packet } =
    type === 'xdp' ? new XdpContext(m, image, frame) : new SkbContext(m, image, frame, { linkLayer });
  // A program above the link layer gives its packet back with zeroes for the header.
  const header = linkLayer || type === 'xdp' ? 0 : LINK_HEADER_BYTES;
  return [region.base, () => Uint8Array.from([...new Uint8Array(header), ...packet.withMeta])];
}

function runFrame(image: LoadedImage, prepared: Prepared, frame: Uint8Array): [number, string] {
  const { env } = prepared;
  const m = new Machine({ image });
  const maps = fillMaps(m, prepared);
  const code = prepare({
    name: 'program',
    insns: env.insns,
    helpers: HELPER_TABLES,
    callee: (_, insn) => kfuncOf(image, insn),
    pointerKind: (i) => pointerKindOf(env, i),
  });
  const [context, after] = contextOf(m, image, PROG_TYPES[env.progType], frame);
  const retval = Number(m.run(code, context) & 0xffffffffn);
  const contents = maps.map(([name, map]): Contents[number] => [name, contentsOf(m, map)]);
  return [retval, digestOf(after(), contents)];
}

/** The same in a machine. Throws RunFault where the program needs what is not there. */
export function askMachine(image: LoadedImage, open: () => ObjectSpec, program: string): CorpusAnswer {
  const prepared = verified(image, open, program);
  return FRAMES.map((frame) => runFrame(image, prepared, frame));
}

/** What these do depends on memory that nobody has written, on where things lie, or on the task that runs. */
const UNDEFINED: ReadonlySet<string> = new Set(['half_filled_by_callee', 'sign_extended_pointer', 'follows_pointers']);

/** Whether a machine has all that the program needs. */
export function canRun(image: LoadedImage, open: () => ObjectSpec, program: string): boolean {
  if (UNDEFINED.has(program)) return false;
  try {
    askMachine(image, open, program);
    return true;
  } catch (error) {
    if (error instanceof RunFault) return false;
    throw error;
  }
}
