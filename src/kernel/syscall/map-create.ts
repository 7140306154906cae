// BPF_MAP_CREATE: what is checked, and what is kept.
import { SysError } from '../../errno.ts';
import { MAP_TYPE } from '../../isa/uapi.ts';
import type { MapCreateAttr } from '../../syscall.ts';
import { innerTemplate } from '../maps/fd-array.ts';
import { FLAG } from '../maps/flags.ts';
import { familyOf } from '../maps/index.ts';
import type { CreateAttr, InnerTemplate, MapFamily, MapRecord, MemoryLayout } from '../maps/record.ts';
import type { Capabilities, KBtf, SpecialRecord } from '../objects.ts';
import { checkDevice, checkToken, objectName } from './attr.ts';
import { emptyMap } from './kmap.ts';
import { checkMapBtf } from './map-btf.ts';

/** Memory of the simulated machine: a map that takes more cannot be made. */
const MEMORY_BYTES = 16 * 2 ** 30;

/** Map types that somebody without CAP_BPF may make where the kernel allows it at all. rule: map_create, 6.18 */
const UNPRIVILEGED: ReadonlySet<number> = new Set([
  MAP_TYPE.array,
  MAP_TYPE.percpu_array,
  MAP_TYPE.prog_array,
  MAP_TYPE.perf_event_array,
  MAP_TYPE.cgroup_array,
  MAP_TYPE.array_of_maps,
  MAP_TYPE.hash,
  MAP_TYPE.percpu_hash,
  MAP_TYPE.hash_of_maps,
  MAP_TYPE.ringbuf,
  MAP_TYPE.user_ringbuf,
  MAP_TYPE.cgroup_storage,
  MAP_TYPE.percpu_cgroup_storage,
]);
const NET_ADMIN: ReadonlySet<number> = new Set([
  MAP_TYPE.sockmap,
  MAP_TYPE.sockhash,
  MAP_TYPE.devmap,
  MAP_TYPE.devmap_hash,
  MAP_TYPE.xskmap,
]);

/** What is made, once every check has passed. */
export interface NewMap {
  family: MapFamily;
  attr: CreateAttr;
  name: string;
  btf: KBtf | undefined;
  record: SpecialRecord | undefined;
  inner: InnerTemplate | undefined;
}

/** What the checks ask for. */
export interface MapSurroundings {
  layout: MemoryLayout;
  caps: Capabilities;
  unprivilegedDisabled: boolean;
  maxCpus: number;
  numaNodes: number;
  /** Throws EBADF or EINVAL. */
  btfByFd(fd: number): KBtf;
  /** Throws EBADF or EINVAL. */
  mapByFd(fd: number): MapRecord;
  vmlinux(): KBtf['btf'];
}

function checkCapabilities(type: number, { caps, unprivilegedDisabled }: MapSurroundings): void {
  if (unprivilegedDisabled && !caps.bpf) throw new SysError('EPERM');
  if (UNPRIVILEGED.has(type)) return;
  if (NET_ADMIN.has(type) ? !caps.netAdmin : !caps.bpf) throw new SysError('EPERM');
}

/** Checks in Linux's order; throws SysError. rule: map_create, 6.18 */
export function checkMapCreate(attr: MapCreateAttr, around: MapSurroundings): NewMap {
  const flags = ((attr.flags ?? 0) & ~FLAG.TOKEN_FD) >>> 0;
  const both = FLAG.RDONLY | FLAG.WRONLY;
  if (attr.btfVmlinuxValueTypeId) {
    if (attr.type !== MAP_TYPE.struct_ops || attr.btfKeyTypeId || attr.btfValueTypeId) throw new SysError('EINVAL');
  } else if (attr.btfKeyTypeId && !attr.btfValueTypeId) {
    throw new SysError('EINVAL');
  }
  const extraAllowed = attr.type === MAP_TYPE.bloom_filter || attr.type === MAP_TYPE.arena;
  if (!extraAllowed && (attr.mapExtra ?? 0n) !== 0n) throw new SysError('EINVAL');
  if ((flags & both) === both) throw new SysError('EINVAL');
  if (flags & FLAG.NUMA_NODE && (attr.numaNode ?? 0) >= around.numaNodes) throw new SysError('EINVAL');
  const family = familyOf(attr.type);
  if (!family) throw new SysError('EINVAL');
  const asked: CreateAttr = {
    type: attr.type,
    keySize: attr.keySize,
    valueSize: attr.valueSize,
    maxEntries: attr.maxEntries,
    flags,
    extra: attr.mapExtra ?? 0n,
    hasBtf: Boolean(attr.btfKeyTypeId && attr.btfValueTypeId),
    kernelType: attr.btfVmlinuxValueTypeId ?? 0,
    maxCpus: around.maxCpus,
  };
  demand(family.check?.(asked, around.layout));
  if ((attr.flags ?? 0) & FLAG.TOKEN_FD) checkToken(attr.tokenFd ?? 0);
  checkCapabilities(attr.type, around);
  if (attr.ifindex) checkOffload(attr.type, attr.ifindex, around.caps);
  // Only modules have BTF apart from the kernel's, and there are none.
  if (attr.type === MAP_TYPE.struct_ops && flags & FLAG.VTYPE_BTF_OBJ_FD) {
    around.btfByFd(attr.valueTypeBtfObjFd ?? 0);
    throw new SysError('EINVAL');
  }
  demand(family.checkLate?.(asked, around.layout));
  const inner = family.holds === 'map' ? innerOf(attr, around) : undefined;
  const maxEntries = family.entries?.(asked, around.layout.cpus) ?? asked.maxEntries;
  if (chargeOf(family, { ...asked, maxEntries }, around.layout) > MEMORY_BYTES) throw new SysError('ENOMEM');
  const name = objectName(attr.name ?? '');
  let btf: KBtf | undefined;
  let record: SpecialRecord | undefined;
  if (attr.btfKeyTypeId || attr.btfValueTypeId || attr.btfVmlinuxValueTypeId) {
    btf = around.btfByFd(attr.btfFd ?? 0);
    if (btf.kernel) throw new SysError('EACCES');
    if (attr.btfValueTypeId)
      record = checkMapBtf(attr, flags | (family.addsFlags ?? 0), btf.btf, around.caps, around.vmlinux);
  }
  return { family, attr: { ...asked, maxEntries }, name, btf, record, inner };
}

/** Throws the errno that a check of the family has given, if it is one. */
function demand(errno = 0): void {
  if (errno !== 0) throw new SysError(errno);
}

/** Bytes that a map without elements takes. */
const chargeOf = (family: MapFamily, attr: CreateAttr, layout: MemoryLayout): number =>
  family.memlock({ ...layout, map: emptyMap(attr) });

/** rule: bpf_map_offload_map_alloc, 6.18 */
function checkOffload(type: number, ifindex: number, caps: Capabilities): void {
  if (!caps.sysAdmin) throw new SysError('EPERM');
  if (type !== MAP_TYPE.array && type !== MAP_TYPE.hash) throw new SysError('EINVAL');
  checkDevice(ifindex);
}

/** The template of a map in map. rule: bpf_map_meta_alloc, 6.18 */
function innerOf(attr: MapCreateAttr, around: MapSurroundings): InnerTemplate {
  const inner = around.mapByFd(attr.innerMapFd ?? 0);
  if (inner.inner) throw new SysError('EINVAL');
  if (familyOf(inner.type)?.neverInner) throw new SysError('ENOTSUPP');
  return innerTemplate(inner);
}
