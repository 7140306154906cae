// The BTF that all generated programs come with: map values with special fields, and functions to be named.
import { BtfBuilder } from '../../src/btf/encode.ts';
import { BTF_KIND } from '../../src/btf/kinds.ts';

/** Type ids by the names used in the generator. */
export const typeIds: Record<string, number> = {};

/** Offsets of strings for line records. */
export const lineStrings: { file: number; texts: number[] } = { file: 0, texts: [] };

/** What a parameter of a global function is. */
export type ParamKind = 'int' | 'long' | 'ctx' | 'pair' | 'pairNonnull' | 'dynptr' | 'task' | 'taskNullable';

/** Global functions that programs may define, by name. */
export const GLOBAL_SIGNATURES: Readonly<Record<string, readonly ParamKind[]>> = {
  g_none: [],
  g_int: ['int'],
  g_two: ['long', 'int'],
  g_pair: ['pair', 'int'],
  g_pair_nonnull: ['pairNonnull', 'long'],
  g_ctx: ['ctx', 'int'],
  g_dynptr: ['dynptr', 'int'],
  g_task: ['task', 'long'],
  g_maybe_task: ['taskNullable'],
};

/** The main function where the program has a handler of exceptions, and that handler. */
export const THROWING_MAIN = 'main_throws';
export const HANDLER = 'handler';

/** Byte offsets in the values and objects of lists and trees. */
export const GRAPH = {
  lock: 0,
  head: 8,
  root: 24,
  size: 40,
  key: 0,
  node: 8,
  tree: 32,
  count: 64,
  object: 72,
} as const;

/** Names of the static functions of a program, in the order in which they are used. */
export const STATIC_NAMES = ['s0', 's1', 's2', 's3', 's4', 's5', 's6', 's7'] as const;

interface BaseTypes {
  u32: number;
  u64: number;
  lock: number;
}

/** Objects that can be in a list and in a tree, and a map value with both. */
function defineGraph(b: BtfBuilder, define: (name: string, id: number) => number, { u32, u64, lock }: BaseTypes): void {
  const opaque = (name: string, words: number): number =>
    b.addStruct(name, 8 * words, [{ name: '__opaque', type: b.addArray(u64, u32, words), bitOffset: 0 }]);
  const counter = b.addStruct('bpf_refcount', 4, [{ name: '__opaque', type: b.addArray(u32, u32, 1), bitOffset: 0 }]);
  const at = (name: string, type: number, byte: number) => ({ name, type, bitOffset: byte * 8 });
  define(
    'node',
    b.addStruct('node', GRAPH.object, [
      at('key', u64, GRAPH.key),
      at('node', opaque('bpf_list_node', 3), GRAPH.node),
      at('tree', opaque('bpf_rb_node', 4), GRAPH.tree),
      at('count', counter, GRAPH.count),
      at('extra', u32, GRAPH.count + 4),
    ]),
  );
  const graph = b.addStruct('graph', GRAPH.size, [
    at('lock', lock, GRAPH.lock),
    at('a', u32, 4),
    at('head', opaque('bpf_list_head', 2), GRAPH.head),
    at('root', opaque('bpf_rb_root', 2), GRAPH.root),
  ]);
  b.addDeclTag('contains:node:node', define('graph', graph), 2);
  b.addDeclTag('contains:node:tree', graph, 3);
}

function build(): Uint8Array {
  const b = new BtfBuilder();
  const define = (name: string, id: number): number => {
    typeIds[name] = id;
    return id;
  };
  const int = define('int', b.addInt('int', 4, 1));
  const u32 = define('u32', b.addInt('unsigned int', 4));
  const u64 = define('u64', b.addInt('unsigned long long', 8));
  const plain = b.addStruct('plain', 24, [
    { name: 'a', type: u64, bitOffset: 0 },
    { name: 'b', type: u64, bitOffset: 64 },
    { name: 'c', type: u32, bitOffset: 128 },
    { name: 'd', type: u32, bitOffset: 160 },
  ]);
  define('plain', plain);
  const lock = b.addStruct('bpf_spin_lock', 4, [{ name: 'val', type: u32, bitOffset: 0 }]);
  define(
    'locked',
    b.addStruct('locked', 24, [
      { name: 'lock', type: lock, bitOffset: 0 },
      { name: 'a', type: u32, bitOffset: 32 },
      { name: 'b', type: u64, bitOffset: 64 },
      { name: 'c', type: u64, bitOffset: 128 },
    ]),
  );
  const opaque = b.addArray(u64, u32, 2);
  const timer = b.addStruct('bpf_timer', 16, [{ name: '__opaque', type: opaque, bitOffset: 0 }]);
  define(
    'timed',
    b.addStruct('timed', 32, [
      { name: 'a', type: u64, bitOffset: 0 },
      { name: 'timer', type: timer, bitOffset: 64 },
      { name: 'b', type: u64, bitOffset: 192 },
    ]),
  );
  const kptr = (struct: string, tag: string): number => b.addPtr(b.addTypeTag(tag, b.addStruct(struct, 0, [])));
  const task = kptr('task_struct', 'kptr');
  const mask = kptr('bpf_cpumask', 'kptr');
  const group = kptr('cgroup', 'kptr');
  const loose = kptr('task_struct', 'kptr_untrusted');
  define(
    'pointing',
    b.addStruct('pointing', 40, [
      { name: 'a', type: u64, bitOffset: 0 },
      { name: 'task', type: task, bitOffset: 64 },
      { name: 'mask', type: mask, bitOffset: 128 },
      { name: 'group', type: group, bitOffset: 192 },
      { name: 'loose', type: loose, bitOffset: 256 },
    ]),
  );
  defineGraph(b, define, { u32, u64, lock });
  const wide = (name: string, count: number): number =>
    b.addStruct(name, 8 * count, [{ name: '__opaque', type: b.addArray(u64, u32, count), bitOffset: 0 }]);
  define(
    'working',
    b.addStruct('working', 24, [
      { name: 'a', type: u64, bitOffset: 0 },
      { name: 'work', type: wide('bpf_wq', 2), bitOffset: 64 },
    ]),
  );
  const resilient = b.addStruct('bpf_res_spin_lock', 4, [{ name: 'val', type: u32, bitOffset: 0 }]);
  define(
    'resilient',
    b.addStruct('resilient', 16, [
      { name: 'a', type: u64, bitOffset: 0 },
      { name: 'lock', type: resilient, bitOffset: 64 },
      { name: 'b', type: u32, bitOffset: 96 },
    ]),
  );
  const pair = b.addStruct('pair', 16, [
    { name: 'x', type: u64, bitOffset: 0 },
    { name: 'y', type: u64, bitOffset: 64 },
  ]);
  const pairPtr = b.addPtr(pair);
  const voidPtr = b.addPtr(0);
  const args = (count: number) => Array.from({ length: count }, (_, i) => ({ name: 'abcde'[i], type: u64 }));
  define('main', b.addFunc('main', 1, b.addFuncProto(int, [{ name: 'ctx', type: voidPtr }])));
  const five = b.addFuncProto(u64, args(5));
  const none = b.addFuncProto(int, []);
  for (const [i, name] of STATIC_NAMES.entries()) define(name, b.addFunc(name, 0, i % 3 === 2 ? none : five));
  define(HANDLER, b.addFunc(HANDLER, 1, b.addFuncProto(int, [{ name: 'cookie', type: u64 }])));
  const throwing = b.addFunc(THROWING_MAIN, 1, b.addFuncProto(int, [{ name: 'ctx', type: voidPtr }]));
  b.addDeclTag(`exception_callback:${HANDLER}`, define(THROWING_MAIN, throwing));
  const dynptr = b.addPtr(b.addRef(BTF_KIND.CONST, wide('bpf_dynptr', 2)));
  const taskPtr = b.addPtr(b.addStruct('task_struct', 0, []));
  const types: Record<ParamKind, number> = {
    int,
    long: u64,
    ctx: voidPtr,
    pair: pairPtr,
    pairNonnull: pairPtr,
    dynptr,
    task: taskPtr,
    taskNullable: taskPtr,
  };
  for (const [name, params] of Object.entries(GLOBAL_SIGNATURES)) {
    const proto = b.addFuncProto(
      int,
      params.map((kind, i) => ({ name: 'abcde'[i], type: types[kind] })),
    );
    const func = define(name, b.addFunc(name, 1, proto));
    params.forEach((kind, i) => {
      if (kind === 'pairNonnull') b.addDeclTag('arg:nonnull', func, i);
      if (kind === 'ctx') b.addDeclTag('arg:ctx', func, i);
      if (kind === 'task' || kind === 'taskNullable') b.addDeclTag('arg:trusted', func, i);
      if (kind === 'taskNullable') b.addDeclTag('arg:nullable', func, i);
    });
  }
  lineStrings.file = b.str('dir/program.c');
  lineStrings.texts = ['int a = b;', '\tif (x > 7)', '', 'return f(a, b, "text");', '}'].map((text) => b.str(text));
  return b.bytes();
}

export const WORLD_BTF: Uint8Array = build();
