// The BTF that all generated programs come with: map values with special fields, and functions to be named.
import { BtfBuilder } from '../../src/btf/encode.ts';
import { BTF_KIND } from '../../src/btf/kinds.ts';

/** Type ids by the names used in the generator. */
export const typeIds: Record<string, number> = {};

/** What a parameter of a global function is. */
export type ParamKind = 'int' | 'long' | 'ctx' | 'pair' | 'pairNonnull' | 'dynptr';

/** Global functions that programs may define, by name. */
export const GLOBAL_SIGNATURES: Readonly<Record<string, readonly ParamKind[]>> = {
  g_none: [],
  g_int: ['int'],
  g_two: ['long', 'int'],
  g_pair: ['pair', 'int'],
  g_pair_nonnull: ['pairNonnull', 'long'],
  g_ctx: ['ctx', 'int'],
};

/** Names of the static functions of a program, in the order in which they are used. */
export const STATIC_NAMES = ['s0', 's1', 's2', 's3', 's4', 's5', 's6', 's7'] as const;

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
  const types: Record<ParamKind, number> = {
    int,
    long: u64,
    ctx: voidPtr,
    pair: pairPtr,
    pairNonnull: pairPtr,
    dynptr: voidPtr,
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
    });
  }
  define('ctxTag', b.add(BTF_KIND.TYPEDEF, { name: 'bpf_user_pt_regs_t', third: b.addStruct('pt_regs', 0, []) }));
  return b.bytes();
}

export const WORLD_BTF: Uint8Array = build();
