// Random worlds for programs to run in: contexts, maps, memory.
import { type Insn, imm64, LDIMM64 } from '../../../isa/insn.ts';
import { MAP_TYPE, PROG_TYPES, type ProgTypeName } from '../../../isa/uapi.ts';
import type { KMap } from '../../objects.ts';
import { programType } from '../../program-types/index.ts';
import { AccessInfo } from '../../program-types/program-type.ts';
import type { VerifierEnv } from '../../verifier/env.ts';
import { mayBeNull, REG } from '../../verifier/types.ts';
import { SkbContext } from '../contexts/skb.ts';
import { XdpContext } from '../contexts/xdp.ts';
import type { Machine } from '../machine.ts';
import { RunArray } from '../maps/array.ts';
import { addMap, canRunMap } from '../maps/index.ts';
import { RunFault } from '../memory.ts';
import type { RunMap } from '../run-map.ts';
import { pick, randomBytes } from './oracle.ts';

const CONTEXT_BYTES = 8192;
/** Some programs may read before their context. */
const BEFORE_CONTEXT = 32768;
/** Bytes of struct bpf_map that programs may look into. */
const MAP_BYTES = 0x80;
const OBJECT_BYTES = 4096;
const MAX_PREFILLED = 8;

const AT_LINK_LAYER: ReadonlySet<ProgTypeName> = new Set(['sched_cls', 'sched_act', 'lwt_xmit']);
const OF_SKB: ReadonlySet<ProgTypeName> = new Set([
  'socket_filter',
  'sched_cls',
  'sched_act',
  'cgroup_skb',
  'lwt_in',
  'lwt_out',
  'lwt_xmit',
  'lwt_seg6local',
  'sk_skb',
  'flow_dissector',
]);

/** A frame that is noise, or begins like IPv4 or IPv6 over Ethernet. */
function randomFrame(m: Machine): Uint8Array {
  const { random } = m;
  const frame = randomBytes(m, 14 + Number(random.next() % 150n));
  switch (random.next() % 4n) {
    case 0n:
      return frame;
    case 1n:
      if (frame.length > 20) frame.set([0x86, 0xdd, 0x60], 12);
      if (frame.length > 20) frame[20] = pick(random, [6, 17, 58]);
      return frame;
    default:
      frame.set([0x08, 0x00], 12);
      if (frame.length > 23) {
        frame[14] = pick(random, [0x45, 0x46, 0x4f]);
        frame[23] = pick(random, [6, 17, 1]);
      }
      return frame;
  }
}

/** Fields that read as pointers, as the program type says. */
function pointerField(m: Machine, env: VerifierEnv, offset: number, size: number): bigint | undefined {
  const info = new AccessInfo(false);
  const type = programType(env.progType);
  if (!type.isValidAccess(env, offset, size, 'read', info)) return undefined;
  // What a hook has returned so far: 0 is possible of all.
  if (info.isRetval) return 0n;
  if (info.regType === REG.SCALAR) return undefined;
  if (mayBeNull(info.regType) && (m.random.next() & 1n) === 0n) return 0n;
  return m.memory.add({ name: 'object', bytes: randomBytes(m, OBJECT_BYTES) }).base;
}

/** Numbers that a program names. */
export function landmarksOf(insns: readonly Insn[]): bigint[] {
  const found = new Set<bigint>();
  insns.forEach(({ code, imm }, i) => {
    if (code === LDIMM64) found.add(BigInt.asUintN(64, imm64(insns, i)));
    else if (imm !== 0) found.add(BigInt.asUintN(64, BigInt(imm)));
  });
  return [...found];
}

/** Address of a context for the program's type. */
export function addContext(m: Machine, env: VerifierEnv): bigint {
  const type = PROG_TYPES[env.progType];
  if (type === 'xdp') return new XdpContext(m, env.image, randomFrame(m)).region.base;
  if (OF_SKB.has(type)) {
    const object = m.memory.add({ name: 'object', bytes: randomBytes(m, OBJECT_BYTES) }).base;
    const socket = pick(m.random, [0n, object]);
    const context = new SkbContext(m, env.image, randomFrame(m), {
      linkLayer: AT_LINK_LAYER.has(type),
      mark: Number(m.random.next() & 0xffn),
      socket,
      flowKeys: object,
    });
    return context.region.base;
  }
  const load = (offset: number, size: number): bigint | undefined =>
    pointerField(m, env, offset - BEFORE_CONTEXT, size);
  const bytes = new Uint8Array(BEFORE_CONTEXT + CONTEXT_BYTES);
  bytes.set(randomBytes(m, CONTEXT_BYTES), BEFORE_CONTEXT);
  return m.memory.add({ name: 'context', bytes, load }).base + BigInt(BEFORE_CONTEXT);
}

/** A map that nothing is known of but that it is there. */
class OpaqueMap implements RunMap {
  readonly map: KMap;
  constructor(map: KMap) {
    this.map = map;
  }
  lookup = (): bigint => 0n;
  update = (): number => -1;
  remove = (): number => -1;
  elements = (): [] => [];
}

function fillArray(m: Machine, made: RunArray): void {
  const { bytes } = made.values;
  const constant = made.map.constantBytes(0, bytes.length);
  bytes.set(constant ?? randomBytes(m, bytes.length));
}

/** Elements with keys that programs are likely to ask for. */
function fillTable(m: Machine, made: RunMap): void {
  const { keySize, valueSize, maxEntries } = made.map;
  const count = Math.min(maxEntries, MAX_PREFILLED);
  for (let i = 0; i < count; i++) {
    const key = i % 2 === 0 ? new Uint8Array(keySize) : randomBytes(m, keySize);
    if (i % 2 === 0 && keySize > 0) key[0] = i / 2;
    for (let cpu = 0; cpu < m.possibleCpus; cpu++) made.update(key, randomBytes(m, valueSize), 0n, cpu);
  }
}

const FILLED: ReadonlySet<number> = new Set([
  MAP_TYPE.hash,
  MAP_TYPE.lru_hash,
  MAP_TYPE.percpu_hash,
  MAP_TYPE.lru_percpu_hash,
  MAP_TYPE.percpu_array,
]);

/** Gives the machine the maps of the program, with something in them. */
export function addMaps(m: Machine, maps: readonly KMap[]): void {
  for (const map of maps) {
    m.memory.add({ name: `struct bpf_map ${map.name}`, base: map.address, bytes: randomBytes(m, MAP_BYTES) });
    if (!canRunMap(map.type)) {
      m.maps.set(map.address, new OpaqueMap(map));
      continue;
    }
    const made = addMap(m, map);
    if (made instanceof RunArray) fillArray(m, made);
    else if (FILLED.has(map.type)) fillTable(m, made);
  }
}

/** Kernel variables that the program names by their BTF. */
export function addVariables(m: Machine, env: VerifierEnv): void {
  env.insns.forEach((insn, i) => {
    const variable = env.aux[i]?.btfVar;
    if (insn.code !== LDIMM64 || variable === undefined) return;
    const address = imm64(env.insns, i);
    try {
      m.memory.add({ base: address, bytes: randomBytes(m, variable.memSize || OBJECT_BYTES) });
    } catch (error) {
      if (!(error instanceof RunFault)) throw error;
    }
  });
}
