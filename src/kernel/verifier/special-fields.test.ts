import { describe, expect, it } from 'vitest';
import { Btf } from '../../btf/btf.ts';
import { BtfBuilder, type NewMember } from '../../btf/encode.ts';
import { ERRNO } from '../../errno.ts';
import type { SpecialFieldKind, SpecialRecord } from '../objects.ts';
import {
  ALLOC_OBJECT_KINDS,
  checkSpecialRecord,
  findFieldAt,
  findStructMeta,
  parseSpecialRecord,
  structMetas,
} from './special-fields.ts';

/** Bytes of the structs that the kernel knows by name. */
const SIZES: Readonly<Record<string, number>> = {
  bpf_spin_lock: 4,
  bpf_res_spin_lock: 4,
  bpf_timer: 16,
  bpf_wq: 16,
  bpf_list_head: 16,
  bpf_list_node: 24,
  bpf_rb_root: 16,
  bpf_rb_node: 32,
  bpf_refcount: 4,
};

/** Builds a BTF with those structs and whatever a test adds. */
class Types {
  readonly builder = new BtfBuilder();
  readonly u32 = this.builder.addInt('unsigned int', 4);
  readonly u64 = this.builder.addInt('unsigned long', 8);
  readonly task = this.builder.addStruct('task_struct', 8, [{ name: 'x', type: this.u64, bitOffset: 0 }]);
  private readonly known = new Map<string, number>();

  constructor() {
    for (const [name, size] of Object.entries(SIZES)) {
      const member = { name: 'opaque', type: size < 8 ? this.u32 : this.u64, bitOffset: 0 };
      this.known.set(name, this.builder.addStruct(name, size, [member]));
    }
  }

  of(name: string): number {
    return this.known.get(name) ?? 0;
  }

  pointer(tag: string): number {
    return this.builder.addPtr(this.builder.addTypeTag(tag, this.task));
  }

  /** A struct with a member of a type at each of some byte offsets. */
  struct(name: string, size: number, ...members: [type: number | string, offset: number][]): number {
    const list: NewMember[] = members.map(([type, offset], i) => ({
      name: `m${i}`,
      type: typeof type === 'number' ? type : this.of(type),
      bitOffset: offset * 8,
    }));
    return this.builder.addStruct(name, size, list);
  }

  btf(): Btf {
    return Btf.parse(this.builder.bytes());
  }
}

/** A kernel that knows none of the structs: pointers lead into the program's own. */
const kernel = Btf.parse(new BtfBuilder().bytes());

const shape = (record: SpecialRecord | undefined | number): unknown =>
  record === undefined || typeof record === 'number' ? record : record.fields.map((f) => [f.kind, f.offset, f.size]);

describe('parseSpecialRecord', () => {
  it('finds nothing in a struct of numbers', () => {
    const types = new Types();
    const id = types.struct('val', 16, [types.u32, 0], [types.u64, 8]);
    expect(parseSpecialRecord(types.btf(), id)).toBeUndefined();
  });

  it('finds fields in nested structs and arrays, in the order of their offsets', () => {
    const types = new Types();
    const inner = types.struct('inner', 24, [types.u64, 0], ['bpf_timer', 8]);
    const pointers = types.builder.addArray(types.pointer('kptr'), types.u32, 2);
    const id = types.struct('val', 48, ['bpf_spin_lock', 0], [inner, 8], [pointers, 32]);
    expect(shape(parseSpecialRecord(types.btf(), id, { kernel }))).toEqual([
      ['bpf_spin_lock', 0, 4],
      ['bpf_timer', 16, 16],
      ['kptr_ref', 32, 8],
      ['kptr_ref', 40, 8],
    ]);
  });

  const tags: [string, SpecialFieldKind | undefined][] = [
    ['kptr', 'kptr_ref'],
    ['kptr_untrusted', 'kptr_unref'],
    ['percpu_kptr', 'kptr_percpu'],
    ['uptr', 'uptr'],
    ['rcu', undefined],
  ];
  it.each(tags)('takes a pointer with the tag %s for %s', (tag, kind) => {
    const types = new Types();
    const id = types.struct('val', 8, [types.pointer(tag), 0]);
    const record = parseSpecialRecord(types.btf(), id, { kernel });
    expect(shape(record)).toEqual(kind === undefined ? -ERRNO.EINVAL : [[kind, 0, 8]]);
  });

  it('resolves pointers in the kernel, by name', () => {
    const types = new Types();
    const id = types.struct('val', 8, [types.pointer('kptr_untrusted'), 0]);
    const kernelTypes = new BtfBuilder();
    kernelTypes.addInt('int', 4);
    const task = kernelTypes.addStruct('task_struct', 4096, []);
    const other = Btf.parse(kernelTypes.bytes());
    const record = parseSpecialRecord(types.btf(), id, { kernel: other });
    expect(record).toMatchObject({ fields: [{ btf: other, btfId: task }] });
  });

  const refused: [string, number, (types: Types) => number][] = [
    ['two locks', ERRNO.E2BIG, (t) => t.struct('v', 8, ['bpf_spin_lock', 0], ['bpf_spin_lock', 4])],
    ['locks of both kinds', ERRNO.EINVAL, (t) => t.struct('v', 8, ['bpf_spin_lock', 0], ['bpf_res_spin_lock', 4])],
    [
      'more than 11 fields',
      ERRNO.E2BIG,
      (t) => t.struct('v', 96, [t.builder.addArray(t.pointer('kptr'), t.u32, 12), 0]),
    ],
    ['overlapping fields', ERRNO.EEXIST, (t) => t.struct('v', 24, ['bpf_timer', 0], [t.pointer('kptr'), 8])],
  ];
  it.each(refused)('refuses %s', (_what, errno, make) => {
    const types = new Types();
    const id = make(types);
    expect(parseSpecialRecord(types.btf(), id, { kernel })).toBe(-errno);
  });

  it('overlooks a lock that is not aligned', () => {
    const types = new Types();
    const id = types.struct('val', 8, ['bpf_spin_lock', 2]);
    expect(parseSpecialRecord(types.btf(), id)).toBeUndefined();
  });

  it('refuses a field that the value does not hold', () => {
    const types = new Types();
    const id = types.struct('val', 24, [types.u64, 0], ['bpf_timer', 8]);
    const btf = types.btf();
    expect(parseSpecialRecord(btf, id, { size: 24 })).toMatchObject({ fields: [{ kind: 'bpf_timer' }] });
    expect(parseSpecialRecord(btf, id, { size: 16 })).toBe(-ERRNO.EFAULT);
  });

  it('finds only the kinds that were asked for', () => {
    const types = new Types();
    const id = types.struct('node', 64, ['bpf_timer', 0], ['bpf_rb_node', 16], ['bpf_spin_lock', 48]);
    const record = parseSpecialRecord(types.btf(), id, { kinds: new Set<SpecialFieldKind>(['bpf_spin_lock']) });
    expect(shape(record)).toEqual([['bpf_spin_lock', 48, 4]]);
  });

  it('refuses an object in a tree and a list without a count', () => {
    const types = new Types();
    const bare = types.struct('bare', 56, ['bpf_rb_node', 0], ['bpf_list_node', 32]);
    const counted = types.struct('counted', 64, ['bpf_rb_node', 0], ['bpf_list_node', 32], ['bpf_refcount', 56]);
    const btf = types.btf();
    expect(parseSpecialRecord(btf, bare, { kinds: ALLOC_OBJECT_KINDS })).toBe(-ERRNO.EINVAL);
    expect(shape(parseSpecialRecord(btf, counted, { kinds: ALLOC_OBJECT_KINDS }))).toHaveLength(3);
  });
});

/** A list whose nodes lie at byte 8 of `node`; `change` says what differs. */
function listTypes(change: { tag?: string; locked?: boolean; nodeHolds?: string } = {}): { btf: Btf; list: number } {
  const types = new Types();
  const extra: [string, number][] = change.nodeHolds
    ? [
        [change.nodeHolds, 32],
        ['bpf_spin_lock', 48],
      ]
    : [];
  const node = types.struct('node', 56, [types.u64, 0], ['bpf_list_node', 8], ...extra);
  if (change.nodeHolds) types.builder.addDeclTag('contains:node:m1', node, 2);
  const lock: [string, number][] = change.locked === false ? [] : [['bpf_spin_lock', 16]];
  const list = types.struct('list', 24, ['bpf_list_head', 0], ...lock);
  types.builder.addDeclTag(change.tag ?? 'contains:node:m1', list, 0);
  return { btf: types.btf(), list };
}

describe('lists', () => {
  it('know their nodes', () => {
    const { btf, list } = listTypes();
    const record = parseSpecialRecord(btf, list);
    expect(record).toMatchObject({
      fields: [{ kind: 'bpf_list_head', btf, nodeOffset: 8 }, { kind: 'bpf_spin_lock' }],
    });
    expect(checkSpecialRecord(btf, record as SpecialRecord, btf)).not.toBe(0);
  });

  const refused: [string, Parameters<typeof listTypes>[0], number][] = [
    ['without a lock', { locked: false }, ERRNO.EINVAL],
    ['of a struct that is not there', { tag: 'contains:missing:m1' }, ERRNO.ENOENT],
    ['of a member that is not there', { tag: 'contains:node:m9' }, ERRNO.ENOENT],
    ['of a member that is no node', { tag: 'contains:node:m0' }, ERRNO.EINVAL],
    ['without a member', { tag: 'contains:node' }, ERRNO.EINVAL],
  ];
  it.each(refused)('%s are refused', (_what, change, errno) => {
    const { btf, list } = listTypes(change);
    expect(parseSpecialRecord(btf, list)).toBe(-errno);
  });
});

describe('structMetas', () => {
  it('has a record for each struct that holds a special field, and no other', () => {
    const { btf, list } = listTypes();
    const metas = structMetas(btf, kernel);
    if (typeof metas === 'number') throw new Error(`errno ${metas}`);
    expect([...metas.keys()].map((id) => btf.name(id)).sort()).toEqual(['list', 'node']);
    const record = findStructMeta(btf, list, kernel);
    expect(checkSpecialRecord(btf, record, kernel)).toBe(0);
    expect(findFieldAt(record, 0, new Set(['bpf_list_head']))?.nodeOffset).toBe(8);
    expect(findFieldAt(record, 4, new Set(['bpf_list_head']))).toBeUndefined();
  });

  it('finds out what would own itself', () => {
    const { btf } = listTypes({ nodeHolds: 'bpf_list_head' });
    const node = btf.find('node');
    const record = findStructMeta(btf, node, kernel);
    expect(record?.fields).toHaveLength(3);
    expect(checkSpecialRecord(btf, record, kernel)).toBe(-ERRNO.ELOOP);
  });

  it('is an errno where a struct is malformed', () => {
    const { btf } = listTypes({ tag: 'contains:missing:m1' });
    expect(structMetas(btf, kernel)).toBe(-ERRNO.ENOENT);
    expect(findStructMeta(btf, btf.find('list'), kernel)).toBeUndefined();
  });
});
