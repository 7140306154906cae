// Maps whose elements are maps or programs: what they take.
import { MAP_TYPE, type MapTypeName } from '../../src/isa/uapi.ts';
import type { Kernel, MapCreateAttr } from '../../src/syscall.ts';
import { type Answer, ask, u32, u32Of } from './answer.ts';
import { holding, nothing } from './programs.ts';

type Shape = Partial<Omit<MapCreateAttr, 'type'>> & { type: MapTypeName };

/** Maps to be put into others. */
const INNER: readonly Shape[] = [
  { type: 'array' },
  { type: 'array', maxEntries: 2 },
  { type: 'array', valueSize: 8 },
  { type: 'array', flags: 0x1000 },
  { type: 'array', flags: 0x1000, maxEntries: 5 },
  { type: 'array', flags: 0x400 },
  { type: 'hash' },
  { type: 'hash', maxEntries: 9 },
  { type: 'hash', keySize: 8 },
  { type: 'hash', flags: 1 },
  { type: 'percpu_array' },
  { type: 'percpu_array', maxEntries: 7 },
  { type: 'lru_hash' },
  { type: 'lpm_trie', keySize: 8, flags: 1 },
  { type: 'queue', keySize: 0 },
  { type: 'bloom_filter', keySize: 0 },
  { type: 'ringbuf', keySize: 0, valueSize: 0, maxEntries: 4096 },
  { type: 'stack_trace', valueSize: 8 },
  { type: 'perf_event_array' },
  { type: 'prog_array' },
  { type: 'cgroup_array' },
  { type: 'devmap' },
  { type: 'devmap_hash' },
  { type: 'sockmap' },
  { type: 'sockhash' },
  { type: 'cpumap', maxEntries: 1 },
  { type: 'xskmap' },
  { type: 'reuseport_sockarray' },
  { type: 'cgroup_storage', keySize: 16, maxEntries: 0 },
  { type: 'user_ringbuf', keySize: 0, valueSize: 0, maxEntries: 4096 },
  { type: 'arena', keySize: 0, valueSize: 0, flags: 0x400 },
];

const make = (kernel: Kernel, { type, ...rest }: Shape): number =>
  kernel.mapCreate({ keySize: 4, valueSize: 4, maxEntries: 1, ...rest, type: MAP_TYPE[type] });

function* inners(kernel: Kernel): Generator<Answer> {
  const fds = INNER.map((shape) => make(kernel, shape));
  const name = (i: number): string => JSON.stringify(INNER[i]);
  for (const type of ['array_of_maps', 'hash_of_maps'] as const) {
    for (let i = 0; i < fds.length; i++) {
      let outer = -1;
      const made = ask(() => {
        outer = make(kernel, { type, innerMapFd: fds[i], maxEntries: 2 });
        return `memlock ${kernel.mapInfo(outer).memlock}`;
      });
      yield { what: `${type} of ${name(i)}`, answer: made };
      if (outer < 0) continue;
      const fits = fds.map((fd) => ask(() => void kernel.mapUpdate(outer, u32(0), u32(fd))));
      yield { what: `${type} of ${name(i)} takes`, answer: fits.join(' ') };
      const twice = ask(() => make(kernel, { type: 'array_of_maps', innerMapFd: outer }));
      yield { what: `${type} of ${name(i)} as inner map`, answer: twice };
      kernel.close(outer);
    }
    const outer = make(kernel, { type, innerMapFd: fds[0], maxEntries: 2 });
    const id = kernel.mapInfo(fds[0]).id;
    for (const flags of [0n, 1n, 2n, 3n, 4n]) {
      for (const k of [0, 1, 7]) {
        const answer = ask(() => void kernel.mapUpdate(outer, u32(k), u32(fds[0]), flags));
        yield { what: `${type} update ${k} flags ${flags}`, answer };
      }
    }
    for (const k of [0, 1, 7]) {
      const look = ask(() => (u32Of(kernel.mapLookup(outer, u32(k))) === id ? 'its id' : 'another'));
      yield { what: `${type} lookup ${k}`, answer: look };
      yield { what: `${type} delete ${k}`, answer: ask(() => void kernel.mapDelete(outer, u32(k))) };
      yield { what: `${type} delete ${k} again`, answer: ask(() => void kernel.mapDelete(outer, u32(k))) };
      yield { what: `${type} lookup and delete ${k}`, answer: ask(() => kernel.mapLookupAndDelete(outer, u32(k))) };
    }
    yield { what: `${type} update with no map`, answer: ask(() => void kernel.mapUpdate(outer, u32(0), u32(9999))) };
    const prog = kernel.progLoad(nothing('xdp'));
    yield { what: `${type} update with a program`, answer: ask(() => void kernel.mapUpdate(outer, u32(0), u32(prog))) };
  }
}

/** Programs that differ in what makes them compatible. */
const KINDS = [
  ['xdp', {}],
  ['xdp with frags', { flags: 32 }],
  ['xdp for devmap', { expectedAttachType: 33 }],
  ['socket_filter', {}],
  ['sched_cls', {}],
  ['kprobe', {}],
  ['raw_tracepoint', {}],
  ['cgroup_skb ingress', {}],
  ['cgroup_skb egress', { expectedAttachType: 1 }],
  ['syscall', { flags: 16 }],
] as const;

function* programs(kernel: Kernel): Generator<Answer> {
  const load = (kind: (typeof KINDS)[number], map?: number): number => {
    const type = kind[0].split(' ')[0] as 'xdp';
    return kernel.progLoad({ ...(map === undefined ? nothing(type) : holding(type, map)), ...kind[1] });
  };
  for (const owner of KINDS) {
    const map = make(kernel, { type: 'prog_array', maxEntries: 2 });
    const before = kernel.mapInfo(map);
    yield { what: `owner before`, answer: `${before.ownerProgType} ${before.ownerJited}` };
    const first = load(owner);
    yield { what: `${owner[0]} first`, answer: ask(() => void kernel.mapUpdate(map, u32(0), u32(first))) };
    const after = kernel.mapInfo(map);
    yield { what: `owner after`, answer: `${after.ownerProgType} ${after.ownerJited}` };
    for (const kind of KINDS) {
      const fd = load(kind);
      yield {
        what: `array of ${owner[0]} takes ${kind[0]}`,
        answer: ask(() => void kernel.mapUpdate(map, u32(1), u32(fd))),
      };
      yield { what: `${kind[0]} uses array of ${owner[0]}`, answer: ask(() => void kernel.close(load(kind, map))) };
      kernel.close(fd);
    }
    yield { what: 'update flags', answer: ask(() => void kernel.mapUpdate(map, u32(0), u32(first), 2n)) };
    yield { what: 'update outside', answer: ask(() => void kernel.mapUpdate(map, u32(2), u32(first))) };
    yield { what: 'update with a map', answer: ask(() => void kernel.mapUpdate(map, u32(0), u32(map))) };
    const id = kernel.progInfo(first).id;
    yield { what: 'lookup', answer: ask(() => (u32Of(kernel.mapLookup(map, u32(0))) === id ? 'its id' : 'another')) };
    yield { what: 'delete', answer: ask(() => void kernel.mapDelete(map, u32(0))) };
    yield { what: 'lookup empty', answer: ask(() => kernel.mapLookup(map, u32(0))) };
    yield { what: 'lookup outside', answer: ask(() => kernel.mapLookup(map, u32(2))) };
    yield { what: 'delete empty', answer: ask(() => void kernel.mapDelete(map, u32(0))) };
    yield { what: 'delete outside', answer: ask(() => void kernel.mapDelete(map, u32(5))) };
    kernel.close(map);
    // Use makes an owner too.
    const used = make(kernel, { type: 'prog_array', maxEntries: 1 });
    const ownerText = (): string => {
      const info = kernel.mapInfo(used);
      return `${info.ownerProgType} ${info.ownerJited}`;
    };
    const byUse = ask(() => {
      const user = load(owner, used);
      const during = ownerText();
      kernel.close(user);
      return `${during}, then ${ownerText()}`;
    });
    yield { what: `owner by use of ${owner[0]}`, answer: byUse };
    kernel.close(used);
  }
}

export function* askHoldingMaps(kernel: Kernel): Generator<Answer> {
  yield* inners(kernel);
  yield* programs(kernel);
}
