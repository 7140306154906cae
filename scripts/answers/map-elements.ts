// Making maps of every type, and reading and changing their elements.
import { MAP_TYPE, type MapTypeName } from '../../src/isa/uapi.ts';
import type { Kernel, MapCreateAttr } from '../../src/syscall.ts';
import { type Answer, ask, u32 } from './answer.ts';

type Attr = Omit<MapCreateAttr, 'type'>;

/** Attributes with which each type can be made. */
const GOOD: Readonly<Partial<Record<MapTypeName, Attr>>> = {
  hash: { keySize: 4, valueSize: 8, maxEntries: 3 },
  array: { keySize: 4, valueSize: 12, maxEntries: 3 },
  prog_array: { keySize: 4, valueSize: 4, maxEntries: 3 },
  perf_event_array: { keySize: 4, valueSize: 4, maxEntries: 3 },
  percpu_hash: { keySize: 4, valueSize: 4, maxEntries: 3 },
  percpu_array: { keySize: 4, valueSize: 4, maxEntries: 3 },
  stack_trace: { keySize: 4, valueSize: 80, maxEntries: 5 },
  cgroup_array: { keySize: 4, valueSize: 4, maxEntries: 3 },
  lru_hash: { keySize: 4, valueSize: 8, maxEntries: 40 },
  lru_percpu_hash: { keySize: 4, valueSize: 8, maxEntries: 40 },
  lpm_trie: { keySize: 8, valueSize: 4, maxEntries: 3, flags: 1 },
  devmap: { keySize: 4, valueSize: 4, maxEntries: 3 },
  devmap_hash: { keySize: 4, valueSize: 4, maxEntries: 3 },
  sockmap: { keySize: 4, valueSize: 4, maxEntries: 3 },
  sockhash: { keySize: 4, valueSize: 4, maxEntries: 3 },
  cpumap: { keySize: 4, valueSize: 4, maxEntries: 3 },
  xskmap: { keySize: 4, valueSize: 4, maxEntries: 3 },
  cgroup_storage: { keySize: 16, valueSize: 8, maxEntries: 0 },
  percpu_cgroup_storage: { keySize: 16, valueSize: 8, maxEntries: 0 },
  reuseport_sockarray: { keySize: 4, valueSize: 8, maxEntries: 3 },
  queue: { keySize: 0, valueSize: 4, maxEntries: 3 },
  stack: { keySize: 0, valueSize: 4, maxEntries: 3 },
  sk_storage: { keySize: 4, valueSize: 8, maxEntries: 0, flags: 1 },
  ringbuf: { keySize: 0, valueSize: 0, maxEntries: 4096 },
  user_ringbuf: { keySize: 0, valueSize: 0, maxEntries: 8192 },
  bloom_filter: { keySize: 0, valueSize: 4, maxEntries: 100 },
  arena: { keySize: 0, valueSize: 0, maxEntries: 10, flags: 0x400 },
};

/** One attribute changed at a time. */
const CHANGES: readonly Partial<Attr>[] = [
  {},
  ...[0, 1, 2, 5, 8, 16, 600].map((keySize) => ({ keySize })),
  ...[0, 1, 4, 5, 8, 24, 40, 70000].map((valueSize) => ({ valueSize })),
  ...[0, 1, 3, 4096, 5000].map((maxEntries) => ({ maxEntries })),
  ...[
    0, 1, 2, 3, 4, 6, 8, 0x10, 0x18, 0x20, 0x40, 0x80, 0x100, 0x180, 0x200, 0x400, 0x401, 0x800, 0x1000, 0x2000, 0x4000,
    0x100000,
  ].map((flags) => ({ flags })),
  { mapExtra: 1n },
  { mapExtra: 3n },
  { mapExtra: 0x20n },
  { name: 'good_name.1' },
  { name: 'bad name' },
  { innerMapFd: 9999 },
  { btfKeyTypeId: 1 },
  { btfVmlinuxValueTypeId: 1 },
];

const bytes = (size: number, fill: number): Uint8Array => new Uint8Array(size).fill(fill);

/** Creation with each change, and what is charged. */
function* creations(kernel: Kernel): Generator<Answer> {
  for (const [type, good] of Object.entries(GOOD) as [MapTypeName, Attr][]) {
    for (const change of CHANGES) {
      const attr = { type: MAP_TYPE[type], ...good, ...change };
      const what = `create ${type} ${JSON.stringify(change, (_, v) => (typeof v === 'bigint' ? String(v) : v))}`;
      const answer = ask(() => {
        const fd = kernel.mapCreate(attr);
        const info = kernel.mapInfo(fd);
        kernel.close(fd);
        return `memlock ${info.memlock} flags ${info.flags} entries ${info.maxEntries}`;
      });
      yield { what, answer };
    }
  }
}

/** Values on other CPUs than the first two differ between machines: what is compared is the first two. */
const cut = (kernel: Kernel, perCpu: boolean, size: number, value: Uint8Array): Uint8Array =>
  perCpu && kernel.possibleCpus > 2 ? value.subarray(0, 2 * size) : value;

/** Reading and changing elements. */
function* operations(kernel: Kernel): Generator<Answer> {
  for (const [type, good] of Object.entries(GOOD) as [MapTypeName, Attr][]) {
    if (type === 'sk_storage') continue;
    const fd = kernel.mapCreate({ type: MAP_TYPE[type], ...good });
    const perCpu = type.includes('percpu');
    const step = Math.ceil(good.valueSize / 8) * 8;
    const size = perCpu ? step * kernel.possibleCpus : good.valueSize;
    const key = (n: number): Uint8Array => {
      const k = bytes(good.keySize, 0);
      if (type === 'lpm_trie') k.set([n * 8, 0, 0, 0, 10, 1, 2, 3]);
      else if (good.keySize >= 4) k.set(u32(n));
      return k;
    };
    // Any value would do as a descriptor: none is open at this number.
    const value = (n: number): Uint8Array => (good.valueSize === 4 && !perCpu ? u32(5000 + n) : bytes(size, n));
    const look = (n: number): Answer => ({
      what: `${type}: lookup ${n}`,
      answer: ask(() => cut(kernel, perCpu, step, kernel.mapLookup(fd, key(n)))),
    });
    yield look(1);
    for (const [n, flags] of [
      [1, 2n],
      [1, 0n],
      [1, 1n],
      [1, 2n],
      [2, 1n],
      [0, 0n],
      [3, 0n],
      [9, 0n],
      [1, 4n],
      [1, 7n],
      [1, 8n],
    ] as const) {
      const answer = ask(() => {
        kernel.mapUpdate(fd, key(n), value(n + 1), flags);
        return undefined;
      });
      yield { what: `${type}: update ${n} flags ${flags}`, answer };
    }
    for (const n of [0, 1, 2, 3, 9]) yield look(n);
    yield { what: `${type}: memlock`, answer: String(kernel.mapInfo(fd).memlock) };
    // The order of hash tables is random; how many keys there are is not.
    let count = 0;
    let at: Uint8Array | undefined;
    const end = ask(() => {
      for (;;) {
        at = kernel.mapNextKey(fd, at);
        count++;
        if (count > 100) return 'endless';
      }
    });
    yield { what: `${type}: keys`, answer: `${count}, then ${end}` };
    for (const n of [1, 1, 9]) {
      yield { what: `${type}: delete ${n}`, answer: ask(() => void kernel.mapDelete(fd, key(n))) };
    }
    for (const n of [2, 2]) {
      yield {
        what: `${type}: lookup and delete ${n}`,
        answer: ask(() => cut(kernel, perCpu, step, kernel.mapLookupAndDelete(fd, key(n)))),
      };
    }
    yield { what: `${type}: freeze`, answer: ask(() => void kernel.mapFreeze(fd)) };
    yield { what: `${type}: freeze again`, answer: ask(() => void kernel.mapFreeze(fd)) };
    yield { what: `${type}: update frozen`, answer: ask(() => void kernel.mapUpdate(fd, key(1), value(1))) };
    kernel.close(fd);
  }
}

/** Every answer of a kernel. */
export function* askMaps(kernel: Kernel): Generator<Answer> {
  yield* creations(kernel);
  yield* operations(kernel);
}
