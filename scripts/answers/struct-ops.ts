// Maps that implement kernel structs of functions. Nothing is registered: the maps are for links.
import { BTF_KIND, type Btf } from '../../src/btf/btf.ts';
import { BtfBuilder } from '../../src/btf/encode.ts';
import { ATTACH_TYPES, MAP_TYPE } from '../../src/isa/uapi.ts';
import { vmlinuxBtf } from '../../src/object/kernel-btf.ts';
import type { Kernel, MapCreateAttr, ProgLoadAttr } from '../../src/syscall.ts';
import { type Answer, ask, u32 } from './answer.ts';
import { isThere, nothing } from './programs.ts';

const LINK = 1 << 13;
const VTYPE_BTF_OBJ_FD = 1 << 15;
const NAME = 'tcp_congestion_ops';

/** Where the members of a struct lie in a value of its maps. */
function layoutOf(btf: Btf, name: string) {
  const value = btf.find(`bpf_struct_ops_${name}`, BTF_KIND.STRUCT);
  const struct = btf.find(name, BTF_KIND.STRUCT);
  const start = btf.memberBitOffset(value, 1) / 8;
  const members = new Map<string, { index: number; offset: number; size: number }>();
  for (let index = 0; index < btf.vlen(struct); index++) {
    const offset = start + btf.memberBitOffset(struct, index) / 8;
    members.set(btf.memberName(struct, index), { index, offset, size: btf.resolveSize(btf.memberType(struct, index)) });
  }
  return { value, struct, size: btf.size(value), members };
}

const CHANGES: readonly Partial<MapCreateAttr>[] = [
  {},
  { keySize: 8 },
  { valueSize: 64 },
  { maxEntries: 2 },
  { maxEntries: 0 },
  { flags: 0 },
  { flags: LINK | VTYPE_BTF_OBJ_FD },
  { flags: LINK | VTYPE_BTF_OBJ_FD, valueTypeBtfObjFd: 9999 },
  { flags: 1 },
  { mapExtra: 1n },
  { btfFd: 0 },
  { btfFd: 9999 },
  { btfKeyTypeId: 1 },
  { btfValueTypeId: 1 },
  { btfVmlinuxValueTypeId: 0 },
  { btfVmlinuxValueTypeId: 1 },
  { btfVmlinuxValueTypeId: 0xffffff },
  { name: 'bad name' },
];

/** The errno of something that has no result. */
const tried = (attempt: () => void): number | string =>
  ask(() => {
    attempt();
    return undefined;
  });

export function* askStructOps(kernel: Kernel): Generator<Answer> {
  const btf = vmlinuxBtf(kernel);
  if (!btf) return;
  const tcp = layoutOf(btf, NAME);
  const types = new BtfBuilder();
  types.addInt('int', 4, 1);
  const btfFd = kernel.btfLoad({ bytes: types.bytes() });
  const attr = {
    type: MAP_TYPE.struct_ops,
    keySize: 4,
    valueSize: tcp.size,
    maxEntries: 1,
    flags: LINK,
    btfFd,
    btfVmlinuxValueTypeId: tcp.value,
  };
  for (const change of CHANGES) {
    const answer = ask(() => {
      const fd = kernel.mapCreate({ ...attr, ...change });
      const { btfVmlinuxId, memlock, flags, btfKeyTypeId, btfValueTypeId } = kernel.mapInfo(fd);
      kernel.close(fd);
      return `${btfVmlinuxId} ${memlock} ${flags} ${btfKeyTypeId} ${btfValueTypeId}`;
    });
    yield { what: `create ${JSON.stringify(change, (_, v) => (typeof v === 'bigint' ? String(v) : v))}`, answer };
  }
  const dummy = layoutOf(btf, 'bpf_dummy_ops');
  const unused = kernel.mapCreate({ ...attr, flags: 0, valueSize: dummy.size, btfVmlinuxValueTypeId: dummy.value });
  const put = (fd: number, value: Uint8Array, key = 0, flags = 0n): number | string =>
    tried(() => kernel.mapUpdate(fd, u32(key), value, flags));
  yield { what: 'dummy: empty', answer: put(unused, new Uint8Array(dummy.size)) };

  const load = (member: string, change: Partial<ProgLoadAttr> = {}): number =>
    kernel.progLoad({
      ...nothing('struct_ops'),
      attachBtfId: tcp.struct,
      expectedAttachType: tcp.members.get(member)?.index ?? 0,
      ...change,
    });
  for (let i = 0; i <= ATTACH_TYPES.length; i++) {
    const answer = tried(() => kernel.close(load('init', { expectedAttachType: i })));
    yield { what: `program for member ${i}`, answer };
  }
  for (const change of [
    { attachBtfId: 0 },
    { attachBtfId: 1 },
    { license: 'MIT' },
    { flags: 16 },
    { attachBtfId: dummy.struct },
  ]) {
    yield { what: `program ${JSON.stringify(change)}`, answer: tried(() => kernel.close(load('ssthresh', change))) };
  }

  const fds = Object.fromEntries(['ssthresh', 'undo_cwnd', 'cong_avoid', 'release'].map((m) => [m, load(m)]));
  const other = kernel.progLoad(nothing('xdp'));
  /** A value with numbers or text in members. */
  const value = (parts: Readonly<Record<string, number | string>>): Uint8Array => {
    const bytes = new Uint8Array(tcp.size);
    for (const [member, what] of Object.entries(parts)) {
      const at = tcp.members.get(member)?.offset ?? Number(member);
      bytes.set(typeof what === 'string' ? new TextEncoder().encode(what) : u32(what), at);
    }
    return bytes;
  };
  const { ssthresh, undo_cwnd, cong_avoid } = fds;
  const good = { ssthresh, undo_cwnd, cong_avoid, name: 'answers' };
  const bad: Readonly<Record<string, Readonly<Record<string, number | string>>>> = {
    nothing: {},
    'no name': { ...good, name: '' },
    'a name with a blank': { ...good, name: 'a b' },
    'a name without an end': { ...good, name: 'abcdefghijklmnop' },
    'no ssthresh': { ...good, ssthresh: 0 },
    'no cong_avoid': { ...good, cong_avoid: 0 },
    'unknown flags': { ...good, flags: 0x20 },
    'a state': { ...good, 4: 1 },
    'a count': { ...good, 0: 1 },
    'something in a hole': { ...good, 8: 1 },
    'a key': { ...good, key: 1 },
    'the program of another member': { ...good, init: fds.ssthresh },
    'a program of another type': { ...good, init: other },
    'a map': { ...good, init: unused },
    'no descriptor': { ...good, init: 9999 },
  };
  const map = kernel.mapCreate(attr);
  for (const [what, parts] of Object.entries(bad)) yield { what: `update: ${what}`, answer: put(map, value(parts)) };
  yield { what: 'another key', answer: put(map, value(good), 1) };
  yield { what: 'flags', answer: put(map, value(good), 0, 1n) };
  const hasValue = (): string => (kernel.mapLookup(map, u32(0)).some((byte) => byte !== 0) ? 'something' : 'zeroes');
  yield { what: 'before', answer: ask(hasValue) };
  yield { what: 'delete before', answer: tried(() => kernel.mapDelete(map, u32(0))) };
  yield { what: 'update', answer: put(map, value({ ...good, flags: 2 })) };
  yield { what: 'update again', answer: put(map, value(good)) };
  const stored = kernel.mapLookup(map, u32(0));
  const ids = new Map(Object.entries(fds).map(([name, fd]) => [kernel.progInfo(fd).id, name]));
  const view = new DataView(stored.buffer, stored.byteOffset, stored.byteLength);
  for (const [name, { offset, size }] of [
    ['refcnt', { offset: 0, size: 4 }],
    ['state', { offset: 4, size: 4 }],
    ...tcp.members,
  ] as const) {
    const number = size === 8 ? Number(view.getBigUint64(offset, true)) : 0;
    const bytes = Buffer.from(stored.subarray(offset, offset + size)).toString('hex');
    yield { what: `stored ${name}`, answer: ids.get(number) ?? bytes };
  }
  yield { what: 'lookup of another key', answer: ask(() => kernel.mapLookup(map, u32(1))) };
  yield { what: 'first key', answer: ask(() => kernel.mapNextKey(map, undefined)) };
  yield { what: 'next key', answer: ask(() => kernel.mapNextKey(map, u32(0))) };
  yield { what: 'key after another', answer: ask(() => kernel.mapNextKey(map, u32(5))) };
  yield { what: 'delete', answer: tried(() => kernel.mapDelete(map, u32(0))) };
  yield { what: 'lookup and delete', answer: ask(() => kernel.mapLookupAndDelete(map, u32(0))) };
  yield { what: 'freeze', answer: tried(() => kernel.mapFreeze(map)) };
  const outer = { type: MAP_TYPE.array_of_maps, keySize: 4, valueSize: 4, maxEntries: 1, innerMapFd: map };
  yield { what: 'as an inner map', answer: tried(() => kernel.close(kernel.mapCreate(outer))) };
  const id = kernel.progInfo(ssthresh).id;
  kernel.close(ssthresh);
  yield { what: 'its program, closed', answer: isThere(kernel, 'prog', id) };
}
