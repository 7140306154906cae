// Implementations of kernel structs of functions: the value at key 0 is the struct, laid out by user space with
// descriptors of programs in its pointers, and storing it registers the struct, or makes it ready for a link.
import { BTF_KIND, type Btf } from '../../btf/btf.ts';
import { ERRNO } from '../../errno.ts';
import { MAP_TYPE, PROG_TYPE } from '../../isa/uapi.ts';
import { functionPointer, type OpsValue, type StructOpsValue, structOpsValue } from '../struct-ops.ts';
import { findElement, putElement } from './elements.ts';
import { absent, fail } from './fail.ts';
import { FLAG } from './flags.ts';
import { u32Bytes, u32Of } from './numbers.ts';
import { bytesOf, type MapAccess, type MapCharge, type MapFamily } from './record.ts';

/** enum bpf_struct_ops_state; a map in its first state has no element. */
const STATE = { IN_USE: 1, LEAVING: 2, READY: 3 } as const;
const POINTER = 8;
const KEY = u32Bytes(0);
/** Where a registered map keeps itself alive. */
const SELF = new Uint8Array([0xff]);
/** struct bpf_struct_ops_common_value */
const COMMON = { refcnt: 0, state: 4 } as const;

const isZero = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0);

/** What a map implements; only maps with a known type are made. */
const implemented = ({ map, kernelBtf }: Pick<MapCharge, 'map' | 'kernelBtf'>): StructOpsValue =>
  structOpsValue(kernelBtf(), map.btfVmlinuxValueType) ?? fail(ERRNO.ENOTSUPP);

const functionCount = (btf: Btf, struct: number): number =>
  Array.from({ length: btf.vlen(struct) }, (_, i) => functionPointer(btf, btf.memberType(struct, i))).filter(Boolean)
    .length;

/** rule: check_zero_holes, 6.18 */
function checkHoles(btf: Btf, type: number, data: Uint8Array): void {
  let end = 0;
  for (let i = 0; i < btf.vlen(type); i++) {
    const start = btf.memberBitOffset(type, i) / 8;
    if (start > end && !isZero(data.subarray(end, start))) fail(ERRNO.EINVAL);
    end = start + btf.resolveSize(btf.memberType(type, i));
  }
  if (!isZero(data.subarray(end, btf.size(type)))) fail(ERRNO.EINVAL);
}

/** A pointer to the module that owns the struct: the kernel fills it in. */
function isModulePointer(btf: Btf, type: number): boolean {
  const pointer = btf.skipModsAndTypedefs(type);
  if (btf.kind(pointer) !== BTF_KIND.PTR) return false;
  const pointee = btf.skipModsAndTypedefs(btf.type(pointer));
  return pointee !== 0 && pointee === btf.find('module', BTF_KIND.STRUCT);
}

/** Programs by number of the member; `data` gets their ids where their descriptors stood. Throws SysError. */
function takePrograms(a: MapAccess, { ops, struct }: StructOpsValue, data: Uint8Array): Map<number, number> {
  const btf = a.kernelBtf();
  const programs = new Map<number, number>();
  for (let i = 0; i < btf.vlen(struct); i++) {
    const type = btf.memberType(struct, i);
    const start = btf.memberBitOffset(struct, i) / 8;
    const bytes = data.subarray(start, start + btf.resolveSize(type));
    if (isModulePointer(btf, type)) {
      if (!isZero(bytes)) fail(ERRNO.EINVAL);
      continue;
    }
    const judged = ops.takes(btf.memberName(struct, i), bytes);
    if (judged) fail(judged);
    if (judged !== undefined) continue;
    if (functionPointer(btf, type) === 0) {
      if (!isZero(bytes)) fail(ERRNO.EINVAL);
      continue;
    }
    const fd = u32Of(bytes) | 0;
    if (fd === 0) continue;
    const program = a.handles.programFacts(fd);
    const fits =
      program.type === PROG_TYPE.struct_ops && program.attachBtf === struct && program.expectedAttachType === i;
    if (!fits) fail(ERRNO.EINVAL);
    programs.set(i, program.id);
    bytes.fill(0);
    bytes.set(u32Bytes(program.id));
  }
  return programs;
}

const memberBytes = (btf: Btf, struct: number, name: string, data: Uint8Array): Uint8Array => {
  for (let i = 0; i < btf.vlen(struct); i++) {
    if (btf.memberName(struct, i) !== name) continue;
    const start = btf.memberBitOffset(struct, i) / 8;
    return data.subarray(start, start + btf.resolveSize(btf.memberType(struct, i)));
  }
  return new Uint8Array(0);
};

/** Values of other maps of the same type that are in use. */
function registered(a: MapAccess): Uint8Array[] {
  const sql =
    'SELECT elem.value AS value FROM elem JOIN map ON elem.map = map.id ' +
    'WHERE map.type = ? AND map.btf_vmlinux_value_type = ? AND map.id <> ?';
  return a.db
    .all(sql, MAP_TYPE.struct_ops, a.map.btfVmlinuxValueType, a.map.id)
    .map((row) => bytesOf(row.value))
    .filter((value) => u32Of(value.subarray(COMMON.state)) === STATE.IN_USE);
}

/** rule: bpf_struct_ops_map_update_elem, 6.18 */
function update(a: MapAccess, key: Uint8Array, value: Uint8Array, flags: bigint): void {
  if (flags !== 0n) fail(ERRNO.EINVAL);
  if (u32Of(key) !== 0) fail(ERRNO.E2BIG);
  const btf = a.kernelBtf();
  const types = implemented(a);
  const { ops, struct, offset } = types;
  checkHoles(btf, a.map.btfVmlinuxValueType, value);
  const stored = Uint8Array.from(value);
  const data = stored.subarray(offset, offset + btf.size(struct));
  checkHoles(btf, struct, data);
  if (u32Of(value.subarray(COMMON.state)) !== 0 || u32Of(value.subarray(COMMON.refcnt)) !== 0) fail(ERRNO.EINVAL);
  if (findElement(a, KEY)) fail(ERRNO.EBUSY);
  const programs = takePrograms(a, types, data);
  const laidOut: OpsValue = {
    bytes: (member) => memberBytes(btf, struct, member, data),
    has: (member) => !isZero(memberBytes(btf, struct, member, data)),
  };
  const isTaken = (member: string, bytes: Uint8Array): boolean =>
    registered(a).some((other) => {
      const theirs = memberBytes(btf, struct, member, other.subarray(offset));
      return theirs.every((byte, i) => byte === bytes[i]);
    });
  const isLink = (a.map.flags & FLAG.LINK) !== 0;
  const refused = ops.validate(laidOut) || (isLink ? 0 : ops.register(laidOut, { config: a.config, isTaken }));
  if (refused) fail(refused);
  stored.set(u32Bytes(isLink ? STATE.READY : STATE.IN_USE), COMMON.state);
  putElement(a, KEY, stored);
  for (const [member, id] of programs) a.handles.setReference(a.map, u32Bytes(member), 'prog', id);
  if (!isLink) a.handles.setReference(a.map, SELF, 'map', a.map.id);
}

/** Unregisters; the value stays for as long as the map. rule: bpf_struct_ops_map_delete_elem, 6.18 */
function remove(a: MapAccess): void {
  if (a.map.flags & FLAG.LINK) fail(ERRNO.EOPNOTSUPP);
  const value = findElement(a, KEY) ?? absent();
  if (u32Of(value.subarray(COMMON.state)) !== STATE.IN_USE) fail(ERRNO.EINPROGRESS);
  value.set(u32Bytes(STATE.LEAVING), COMMON.state);
  putElement(a, KEY, value);
  a.handles.setReference(a.map, SELF, 'map', undefined);
}

/** rule: bpf_struct_ops_map_sys_lookup_elem, 6.18 */
function lookup(a: MapAccess, key: Uint8Array): Uint8Array {
  if (u32Of(key) !== 0) absent();
  const value = findElement(a, KEY);
  if (!value) return new Uint8Array(a.map.valueSize);
  value.set(u32Bytes(a.handles.reference(a.map, SELF) === undefined ? 0 : 1), COMMON.refcnt);
  return value;
}

export const structOps: MapFamily = {
  neverInner: true,
  /** rule: bpf_struct_ops_map_alloc_check, 6.18 */
  check(attr) {
    if (attr.keySize !== 4 || attr.maxEntries !== 1 || attr.kernelType === 0) return ERRNO.EINVAL;
    return attr.flags & ~(FLAG.LINK | FLAG.VTYPE_BTF_OBJ_FD) ? ERRNO.EINVAL : 0;
  },
  /** rule: bpf_struct_ops_map_alloc, 6.18 */
  checkLate(attr, { kernelBtf }) {
    const value = structOpsValue(kernelBtf(), attr.kernelType);
    if (!value) return ERRNO.ENOTSUPP;
    return attr.valueSize === value.size ? 0 : ERRNO.EINVAL;
  },
  memlock(charge) {
    const { map, sizeOf, pageSize, kernelBtf } = charge;
    if (map.btfVmlinuxValueType === 0) return 0;
    const functions = functionCount(kernelBtf(), implemented(charge).struct);
    const header = sizeOf('bpf_struct_ops_map') - sizeOf('bpf_struct_ops_value');
    return header + 2 * map.valueSize + 2 * POINTER * functions + pageSize;
  },
  lookup,
  update,
  remove,
  nextKey: (_a, key) => (key && u32Of(key) === 0 ? absent() : u32Bytes(0)),
};
