// Maps with types for key and value: which are taken.
import { BTF_KIND } from '../../src/btf/btf.ts';
import { BtfBuilder } from '../../src/btf/encode.ts';
import { MAP_TYPE, type MapTypeName } from '../../src/isa/uapi.ts';
import type { Kernel, MapCreateAttr } from '../../src/syscall.ts';
import { type Answer, ask, u32 } from './answer.ts';

interface Types {
  bytes: Uint8Array;
  ids: Record<string, number>;
  sizes: Record<string, number>;
}

/** All kinds of types, by a name for this scenario. */
function types(): Types {
  const b = new BtfBuilder();
  const ids: Record<string, number> = { void: 0, none: 9999 };
  const sizes: Record<string, number> = {};
  const add = (name: string, size: number, id: number): number => {
    ids[name] = id;
    sizes[name] = size;
    return id;
  };
  const int = add('int', 4, b.addInt('int', 4, 1));
  add('unsigned', 4, b.addInt('unsigned int', 4));
  const char = add('char', 1, b.addInt('char', 1, 1));
  const long = add('long', 8, b.addInt('long', 8, 1));
  add('bits', 4, b.addInt('bits', 4, 0, 16));
  const u32Type = add('u32', 4, b.addTypedef('u32', int));
  add('constInt', 4, b.addRef(BTF_KIND.CONST, u32Type));
  add('pointer', 8, b.addPtr(int));
  add('array', 16, b.addArray(int, int, 4));
  add('chars', 8, b.addArray(char, int, 8));
  add('enum', 4, b.addEnum('e', 4, [{ name: 'A', value: 0n }]));
  add('float', 4, b.addFloat('float', 4));
  add('union', 8, b.addUnion('u', 8, [{ name: 'l', type: long, bitOffset: 0 }]));
  const plain = add('struct', 8, b.addStruct('s', 8, [{ name: 'a', type: int, bitOffset: 0 }]));
  add('typedefStruct', 8, b.addTypedef('s_t', plain));
  add(
    'lpmKey',
    8,
    b.addStruct('key', 8, [
      { name: 'prefixlen', type: int, bitOffset: 0 },
      { name: 'data', type: int, bitOffset: 32 },
    ]),
  );
  const fwd = b.addFwd('unknown');
  ids.fwd = fwd;
  const proto = b.addFuncProto(int, []);
  ids.func = b.addFunc('f', 1, proto);
  ids.proto = proto;
  ids.funcPointer = b.addPtr(proto);
  sizes.funcPointer = 8;
  const variable = b.addVar('v', 1, long);
  ids.var = variable;
  sizes.var = 8;
  add('datasec', 8, b.addDatasec('.data', 8, [{ type: variable, offset: 0, size: 8 }]));
  add('datasecAny', 8, b.addDatasec('.any', 8, [{ type: variable, offset: 0, size: 8 }]));
  const encoded = b.bytes();
  return { bytes: encoded, ids, sizes };
}

/** A struct with one special field, by a name for this scenario: its size and id. */
type Special = (b: BtfBuilder, int: number, long: number) => { size: number; id: number };

const wrap = (b: BtfBuilder, type: number, at: number, size: number, long: number): { size: number; id: number } => ({
  size,
  id: b.addStruct('wrapper', size, [
    ...(at > 0 ? [{ name: 'before', type: long, bitOffset: 0 }] : []),
    { name: 'field', type, bitOffset: at * 8 },
  ]),
});

const opaque = (b: BtfBuilder, name: string, size: number, long: number, int: number): number =>
  b.addStruct(name, size, [{ name: 'opaque', type: b.addArray(long, int, size / 8), bitOffset: 0 }]);
const word = (b: BtfBuilder, name: string, int: number): number =>
  b.addStruct(name, 4, [{ name: 'val', type: int, bitOffset: 0 }]);
const pointer =
  (tag: string, struct: string): Special =>
  (b, _int, long) =>
    wrap(b, b.addPtr(b.addTypeTag(tag, b.addStruct(struct, 8, [{ name: 'x', type: long, bitOffset: 0 }]))), 0, 8, long);

const SPECIALS: Readonly<Record<string, Special>> = {
  'a spin lock': (b, int, long) => wrap(b, word(b, 'bpf_spin_lock', int), 0, 8, long),
  'a spin lock behind': (b, int, long) => wrap(b, word(b, 'bpf_spin_lock', int), 8, 16, long),
  'a misaligned spin lock': (b, int, long) => wrap(b, word(b, 'bpf_spin_lock', int), 10, 16, long),
  'a spin lock of a wrong size': (b, int, long) => wrap(b, opaque(b, 'bpf_spin_lock', 8, long, int), 0, 8, long),
  'two spin locks': (b, int, long) => wrap(b, b.addArray(word(b, 'bpf_spin_lock', int), int, 2), 0, 8, long),
  'a resilient lock': (b, int, long) => wrap(b, opaque(b, 'bpf_res_spin_lock', 8, long, int), 0, 8, long),
  'a resilient lock of 4 bytes': (b, int, long) => wrap(b, word(b, 'bpf_res_spin_lock', int), 0, 8, long),
  'a timer': (b, int, long) => wrap(b, opaque(b, 'bpf_timer', 16, long, int), 0, 24, long),
  'two timers': (b, int, long) => wrap(b, b.addArray(opaque(b, 'bpf_timer', 16, long, int), int, 2), 0, 32, long),
  'a workqueue': (b, int, long) => wrap(b, opaque(b, 'bpf_wq', 16, long, int), 0, 16, long),
  'a task work': (b, int, long) => wrap(b, opaque(b, 'bpf_task_work', 8, long, int), 0, 8, long),
  'a reference count': (b, int, long) => wrap(b, word(b, 'bpf_refcount', int), 0, 8, long),
  'a list head': (b, int, long) => wrap(b, opaque(b, 'bpf_list_head', 16, long, int), 0, 16, long),
  'a list node': (b, int, long) => wrap(b, opaque(b, 'bpf_list_node', 24, long, int), 0, 24, long),
  'a tree root': (b, int, long) => wrap(b, opaque(b, 'bpf_rb_root', 16, long, int), 0, 16, long),
  'a kptr': pointer('kptr', 'task_struct'),
  'a kptr to nothing known': pointer('kptr', 'no_such_struct'),
  'an untrusted kptr': pointer('kptr_untrusted', 'task_struct'),
  'a per-CPU kptr': pointer('percpu_kptr', 'task_struct'),
  'a uptr': pointer('uptr', 'task_struct'),
  'a pointer with another tag': pointer('tag', 'task_struct'),
};

type Base = Partial<MapCreateAttr> & { keySize: number };
const MAPS: readonly [MapTypeName, Base][] = [
  ['array', { keySize: 4 }],
  ['array', { keySize: 4, flags: 0x80 }],
  ['array', { keySize: 4, maxEntries: 1 }],
  ['percpu_array', { keySize: 4 }],
  ['hash', { keySize: 4 }],
  ['hash', { keySize: 8 }],
  ['percpu_hash', { keySize: 4 }],
  ['lru_hash', { keySize: 4 }],
  ['lru_percpu_hash', { keySize: 4 }],
  ['lpm_trie', { keySize: 8, flags: 1 }],
  ['queue', { keySize: 0 }],
  ['stack', { keySize: 0 }],
  ['bloom_filter', { keySize: 0 }],
  ['ringbuf', { keySize: 0, valueSize: 0, maxEntries: 4096 }],
  ['prog_array', { keySize: 4 }],
  ['perf_event_array', { keySize: 4 }],
  ['cgroup_array', { keySize: 4 }],
  ['stack_trace', { keySize: 4 }],
  ['devmap', { keySize: 4 }],
  ['devmap_hash', { keySize: 4 }],
  ['cpumap', { keySize: 4, maxEntries: 2 }],
  ['xskmap', { keySize: 4 }],
  ['sockmap', { keySize: 4 }],
  ['sockhash', { keySize: 4 }],
  ['reuseport_sockarray', { keySize: 4 }],
  ['cgroup_storage', { keySize: 8, maxEntries: 0 }],
  ['cgroup_storage', { keySize: 16, maxEntries: 0 }],
  ['percpu_cgroup_storage', { keySize: 8, maxEntries: 0 }],
  ['sk_storage', { keySize: 4, maxEntries: 0, flags: 1 }],
  ['task_storage', { keySize: 4, maxEntries: 0, flags: 1 }],
  ['inode_storage', { keySize: 4, maxEntries: 0, flags: 1 }],
  ['cgrp_storage', { keySize: 4, maxEntries: 0, flags: 1 }],
  ['user_ringbuf', { keySize: 0, valueSize: 0, maxEntries: 4096 }],
  ['arena', { keySize: 0, valueSize: 0, flags: 0x400 }],
];

const KEYS = [
  'void',
  'int',
  'unsigned',
  'long',
  'u32',
  'constInt',
  'bits',
  'enum',
  'float',
  'pointer',
  'lpmKey',
  'fwd',
  'none',
];

export function* askMapBtf(kernel: Kernel): Generator<Answer> {
  const { bytes, ids, sizes } = types();
  const btfFd = kernel.btfLoad({ bytes });
  for (const [type, base] of MAPS) {
    const attempt = (key: string, value: string, size?: number): number | string =>
      ask(() => {
        const fd = kernel.mapCreate({
          maxEntries: 3,
          valueSize: size ?? sizes[value] ?? 4,
          ...base,
          type: MAP_TYPE[type],
          btfFd,
          btfKeyTypeId: ids[key],
          btfValueTypeId: ids[value],
        });
        const info = kernel.mapInfo(fd);
        const freeze = type === 'array' ? ask(() => void kernel.mapFreeze(fd)) : '';
        kernel.close(fd);
        return `types ${info.btfKeyTypeId - ids[key]} ${info.btfValueTypeId - ids[value]} ${freeze}`;
      });
    const shape = `${type} ${JSON.stringify(base)}`;
    for (const key of KEYS) yield { what: `${shape} key ${key}`, answer: attempt(key, 'int') };
    for (const value of Object.keys(ids)) {
      const key = base.keySize === 0 ? 'void' : base.keySize === 8 ? 'lpmKey' : 'int';
      yield { what: `${shape} value ${value}`, answer: attempt(key, value) };
      if (type === 'array') yield { what: `${shape} value ${value} no key`, answer: attempt('void', value) };
      if (type === 'hash') yield { what: `${shape} value ${value} size 12`, answer: attempt(key, value, 12) };
    }
  }
  yield* specials(kernel);
}

function* specials(kernel: Kernel): Generator<Answer> {
  for (const [name, make] of Object.entries(SPECIALS)) {
    const b = new BtfBuilder();
    const int = b.addInt('int', 4, 1);
    const { size, id } = make(b, int, b.addInt('long', 8, 1));
    let btfFd = -1;
    const loaded = ask(() => {
      btfFd = kernel.btfLoad({ bytes: b.bytes() });
      return undefined;
    });
    yield { what: `BTF with ${name}`, answer: loaded };
    if (btfFd < 0) continue;
    for (const [type, base] of MAPS) {
      if (base.valueSize === 0 || base.keySize === 0) continue;
      const answer = ask(() => {
        const types = { btfFd, btfKeyTypeId: int, btfValueTypeId: id };
        const fd = kernel.mapCreate({ maxEntries: 3, valueSize: size, ...base, type: MAP_TYPE[type], ...types });
        const frozen = ask(() => void kernel.mapFreeze(fd));
        kernel.close(fd);
        return `frozen ${frozen}`;
      });
      yield { what: `${type} ${JSON.stringify(base)} of ${name}`, answer };
    }
    kernel.close(btfFd);
  }
  yield* locking(kernel);
}

/** Values with a lock, and maps of such maps. */
function* locking(kernel: Kernel): Generator<Answer> {
  const b = new BtfBuilder();
  const int = b.addInt('int', 4, 1);
  const lock = word(b, 'bpf_spin_lock', int);
  const ids = {
    int,
    spinLock: b.addStruct('locked', 8, [
      { name: 'lock', type: lock, bitOffset: 0 },
      { name: 'n', type: int, bitOffset: 32 },
    ]),
  };
  const btfFd = kernel.btfLoad({ bytes: b.bytes() });
  const locked = kernel.mapCreate({
    type: MAP_TYPE.hash,
    keySize: 4,
    valueSize: 8,
    maxEntries: 3,
    btfFd,
    btfKeyTypeId: ids.int,
    btfValueTypeId: ids.spinLock,
  });
  const value = Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8]);
  for (const flags of [0n, 4n, 5n, 6n, 8n]) {
    yield { what: `locked update ${flags}`, answer: ask(() => void kernel.mapUpdate(locked, u32(0), value, flags)) };
    yield { what: `locked lookup ${flags}`, answer: ask(() => kernel.mapLookup(locked, u32(0), flags)) };
  }
  const again = Uint8Array.from([9, 9, 9, 9, 6, 6, 6, 6]);
  yield { what: 'locked update again', answer: ask(() => void kernel.mapUpdate(locked, u32(0), again)) };
  yield { what: 'locked lookup again', answer: ask(() => kernel.mapLookup(locked, u32(0))) };
  yield { what: 'locked lookup and delete', answer: ask(() => kernel.mapLookupAndDelete(locked, u32(0), 4n)) };
  const inner = kernel.mapCreate({
    type: MAP_TYPE.array,
    keySize: 4,
    valueSize: 8,
    maxEntries: 1,
    btfFd,
    btfKeyTypeId: ids.int,
    btfValueTypeId: ids.spinLock,
  });
  const simple = kernel.mapCreate({ type: MAP_TYPE.array, keySize: 4, valueSize: 8, maxEntries: 1 });
  for (const [name, template] of [
    ['locked', inner],
    ['simple', simple],
  ] as const) {
    const outer = kernel.mapCreate({
      type: MAP_TYPE.array_of_maps,
      keySize: 4,
      valueSize: 4,
      maxEntries: 1,
      innerMapFd: template,
    });
    yield { what: `${name} takes locked`, answer: ask(() => void kernel.mapUpdate(outer, u32(0), u32(inner))) };
    yield { what: `${name} takes simple`, answer: ask(() => void kernel.mapUpdate(outer, u32(0), u32(simple))) };
  }
}
