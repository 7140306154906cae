// BPF_MAP_CREATE
import { ERRNO, SysError } from '../../errno.ts';
import { MAP_TYPE } from '../../isa/uapi.ts';
import type { MapCreateAttr } from '../../syscall.ts';
import { innerTemplate } from '../families/fd-array.ts';
import { FLAG } from '../families/flags.ts';
import { familyOf } from '../families/index.ts';
import type { CreateAttr, InnerTemplate, MapFamily, MapRecord } from '../families/record.ts';
import type { KBtf } from '../objects.ts';
import { checkMapBtf } from './map-btf.ts';

const NAME = /^[A-Za-z0-9_.]*$/;
const NAME_CHARS = 15;
const TOKEN_FD = 0x10000;

/** What is made, once every check has passed. */
export interface NewMap {
  family: MapFamily;
  attr: CreateAttr;
  name: string;
  btf: KBtf | undefined;
  inner: InnerTemplate | undefined;
}

/** What the checks ask for. */
export interface MapSurroundings {
  maxCpus: number;
  btfByFd(fd: number): KBtf;
  mapByFd(fd: number): MapRecord;
  vmlinux(): KBtf['btf'];
}

export const objectName = (name: string): string => {
  if (name.length > NAME_CHARS || !NAME.test(name)) throw new SysError('EINVAL');
  return name;
};

/** Checks in Linux's order; throws SysError. rule: map_create, 6.18 */
export function checkMapCreate(attr: MapCreateAttr, around: MapSurroundings): NewMap {
  const flags = (attr.flags ?? 0) & ~TOKEN_FD;
  if (attr.btfVmlinuxValueTypeId) {
    if (attr.type !== MAP_TYPE.struct_ops || attr.btfKeyTypeId || attr.btfValueTypeId) throw new SysError('EINVAL');
    // Structs of operations are told apart by kernel BTF; no type with this id is one.
    throw new SysError('ENOTSUPP');
  }
  if (attr.btfKeyTypeId && !attr.btfValueTypeId) throw new SysError('EINVAL');
  const extraAllowed = attr.type === MAP_TYPE.bloom_filter || attr.type === MAP_TYPE.arena;
  if (!extraAllowed && (attr.mapExtra ?? 0n) !== 0n) throw new SysError('EINVAL');
  if ((flags & (FLAG.RDONLY | FLAG.WRONLY)) === (FLAG.RDONLY | FLAG.WRONLY)) throw new SysError('EINVAL');
  if (flags & FLAG.NUMA_NODE && (attr.numaNode ?? 0) !== 0) throw new SysError('EINVAL');
  const family = familyOf(attr.type);
  if (!family) throw new SysError('EINVAL');
  const create: CreateAttr = {
    type: attr.type,
    keySize: attr.keySize,
    valueSize: attr.valueSize,
    maxEntries: attr.maxEntries,
    flags,
    numaNode: attr.numaNode ?? 0,
    extra: attr.mapExtra ?? 0n,
    hasInner: attr.innerMapFd !== undefined && attr.innerMapFd !== 0,
    hasBtf: (attr.btfValueTypeId ?? 0) !== 0,
    maxCpus: around.maxCpus,
  };
  const err = family.check(create);
  if (err !== 0) throw new SysError(err);
  const inner = family.holds === 'map' ? innerOf(attr, around) : undefined;
  const name = objectName(attr.name ?? '');
  let btf: KBtf | undefined;
  if (attr.btfKeyTypeId || attr.btfValueTypeId) {
    btf = around.btfByFd(attr.btfFd ?? 0);
    if (btf.kernel) throw new SysError(ERRNO.EACCES);
    if (attr.btfValueTypeId) checkMapBtf(attr, btf.btf, around.vmlinux);
  }
  return { family, attr: create, name, btf, inner };
}

function innerOf(attr: MapCreateAttr, around: MapSurroundings): InnerTemplate {
  const inner = around.mapByFd(attr.innerMapFd ?? 0);
  if (inner.inner) throw new SysError('EINVAL');
  if (familyOf(inner.type)?.holds) throw new SysError('ENOTSUPP');
  return innerTemplate(inner);
}
