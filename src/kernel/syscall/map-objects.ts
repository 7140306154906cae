// Maps: making, reading and changing them.
import { type ErrnoName, SysError } from '../../errno.ts';
import { MAP_TYPE, PROG_TYPE } from '../../isa/uapi.ts';
import type { MapCreateAttr, MapInfo } from '../../syscall.ts';
import { FLAG, UPDATE } from '../maps/flags.ts';
import { familyOf } from '../maps/index.ts';
import { u32Bytes } from '../maps/numbers.ts';
import { readArea, writeArea } from '../maps/pages.ts';
import {
  type ElementHandles,
  type InnerTemplate,
  type MapAccess,
  type MapFamily,
  type MapOperation,
  type MapRecord,
  mapRecord,
  type ProgramFacts,
  round8,
} from '../maps/record.ts';
import { blankFields } from '../maps/value-fields.ts';
import type { KMap, SpecialRecord } from '../objects.ts';
import type { Row } from '../store/database.ts';
import { damaged } from '../store/state-error.ts';
import { type BtfObjects, VMLINUX_BTF } from './btf-objects.ts';
import type { KernelContext } from './context.ts';
import type { Descriptor } from './descriptors.ts';
import { simulatedMap, templateMap } from './kmap.ts';
import { placeMap } from './map-addresses.ts';
import { recordOfValue } from './map-btf.ts';
import { checkMapCreate } from './map-create.ts';
import { belongsTo, type Candidate } from './map-owner.ts';
import type { ObjectId } from './object-store.ts';
import { belongingOf, programCode } from './prog-store.ts';

/** Flags that concern the descriptor, not the map. */
const FD_FLAGS = FLAG.RDONLY | FLAG.WRONLY;
const BLOCKED: Readonly<Record<'read' | 'write', number>> = { read: FLAG.WRONLY, write: FLAG.RDONLY };
/** Ways in which an operation touches the map. */
const WAYS: Readonly<Record<MapOperation, readonly ('read' | 'write')[]>> = {
  lookup: ['read'],
  nextKey: ['read'],
  update: ['write'],
  remove: ['write'],
  lookupAndDelete: ['read', 'write'],
};

const fail = (errno: ErrnoName): never => {
  throw new SysError(errno);
};

/** What an operation was asked for. */
interface Request {
  fd: number;
  flags?: bigint;
}

/** Values of an array one after the other, as they lie in memory. */
export interface ValueArea {
  map: KMap;
  /** Bytes. */
  size: number;
  read(): Uint8Array;
  write(bytes: Uint8Array): void;
}

export class MapObjects {
  private readonly context: KernelContext;
  private readonly btfs: BtfObjects;
  /** Special fields of values by map id; they never change. */
  private readonly records = new Map<number, SpecialRecord | undefined>();
  private readonly handles: ElementHandles;

  constructor(context: KernelContext, btfs: BtfObjects) {
    this.context = context;
    this.btfs = btfs;
    const { fds, objects } = context;
    this.handles = {
      map: (fd) => this.byFd(fd),
      program: (map, fd) => this.programFor(map, fds.get(fd, 'prog')),
      programFacts: (fd) => programFacts(context.rowOf(fd, 'prog')),
      sameFields: (map, template) => sameRecord(this.recordOf(map), this.templateRecord(template)),
      setReference: (map, slot, kind, id) => {
        const from: ObjectId = { kind: 'map', id: map.id };
        const old = objects.reference(from, 'element', slot);
        if (id !== undefined) objects.refer(from, 'element', slot, { kind, id });
        else objects.unrefer(from, 'element', slot);
        if (old && id !== undefined) objects.collect(old);
      },
      reference: (map, slot) => objects.reference({ kind: 'map', id: map.id }, 'element', slot)?.id,
    };
  }

  /** Behind a descriptor; EBADF or EINVAL. */
  byFd(fd: number): MapRecord {
    return mapRecord(this.context.rowOf(fd, 'map'));
  }

  private byId(id: number): MapRecord {
    return mapRecord(this.context.objects.row('map', id) ?? fail('ENOENT'));
  }

  private reach(map: MapRecord): MapAccess {
    return { ...this.context.layout, db: this.context.db, map, handles: this.handles };
  }

  private family(map: MapRecord): MapFamily {
    const family = familyOf(map.type);
    if (!family) throw damaged(`map ${map.id}`);
    return family;
  }

  create(attr: MapCreateAttr): number {
    const { db, image, layout, objects, caps } = this.context;
    return db.write(() => {
      const made = checkMapCreate(attr, {
        layout,
        caps,
        unprivilegedDisabled: this.context.unprivilegedDisabled,
        maxCpus: Number(image.config('CONFIG_NR_CPUS') ?? image.possibleCpus),
        numaNodes: image.numaNodes,
        btfByFd: (fd) => this.btfs.byFd(fd),
        mapByFd: (fd) => this.byFd(fd),
        vmlinux: () => image.btf(),
      });
      const { family, attr: kept, btf, inner } = made;
      const id = db.next('map');
      const { address, valueAddress } = placeMap(db, id, family, kept, layout);
      const row = {
        id,
        type: kept.type,
        key_size: kept.keySize,
        value_size: kept.valueSize,
        max_entries: kept.maxEntries,
        flags: (kept.flags & ~FD_FLAGS) | (family.addsFlags ?? 0),
        extra: BigInt.asIntN(64, kept.extra),
        name: made.name,
        ifindex: 0,
        btf: btf?.id ?? 0,
        btf_key_type: attr.btfKeyTypeId ?? 0,
        btf_value_type: attr.btfValueTypeId ?? 0,
        btf_vmlinux_value_type: kept.kernelType,
        frozen: 0,
        bypass_spec_v1: caps.perfmon ? 1 : 0,
        address: BigInt.asIntN(64, address),
        value_address: valueAddress === undefined ? null : BigInt.asIntN(64, valueAddress),
        inner_map: inner ? JSON.stringify(inner) : null,
      };
      db.insert('map', row);
      const self: ObjectId = { kind: 'map', id };
      if (btf) objects.referOnce(self, 'btf', { kind: 'btf', id: btf.id });
      if (inner?.btf) objects.referOnce(self, 'inner-btf', { kind: 'btf', id: inner.btf });
      this.records.set(id, made.record);
      return this.context.open(self, kept.flags & FD_FLAGS);
    });
  }

  /** Runs an operation of the map's family after the checks common to all. */
  private operate<T>(operation: MapOperation, { fd, flags = 0n }: Request, run: (a: MapAccess, f: MapFamily) => T): T {
    const ways = WAYS[operation];
    const work = (): T => {
      const descriptor = this.context.fds.get(fd, 'map');
      const map = mapRecord(this.context.row(descriptor));
      if (ways.some((way) => !isAllowed(way, descriptor, map))) fail('EPERM');
      const queue = map.type === MAP_TYPE.queue || map.type === MAP_TYPE.stack;
      if (operation === 'lookupAndDelete' && flags !== 0n && queue) fail('EINVAL');
      if (flags & UPDATE.LOCK && !this.hasLock(map)) fail('EINVAL');
      const family = this.family(map);
      if (map.valueSize > MAX_VALUE) fail('ENOMEM');
      if (!family[operation]) throw new SysError(family.missing?.[operation] ?? 'ENOTSUPP');
      return run(this.reach(map), family);
    };
    return ways.includes('write') ? this.context.db.write(work) : work();
  }

  private hasLock(map: MapRecord): boolean {
    return this.recordOf(map)?.fields.some((field) => field.kind === 'bpf_spin_lock') ?? false;
  }

  lookup(fd: number, key: Uint8Array, flags: bigint): Uint8Array {
    if (flags & ~UPDATE.LOCK) fail('EINVAL');
    return this.operate('lookup', { fd, flags }, (a, f) => {
      const value = f.lookup?.(a, keyFor(a.map, key), flags) as Uint8Array;
      return blankFields(this.recordOf(a.map), a.map.valueSize, value, 'read');
    });
  }

  update(fd: number, key: Uint8Array, value: Uint8Array, flags: bigint): void {
    this.operate('update', { fd, flags }, (a, f) => {
      const size = f.valueBytes?.(a.map, a.cpus) ?? (f.holds ? DESCRIPTOR_BYTES : a.map.valueSize);
      if (value.length < size) fail('EFAULT');
      const stored = blankFields(this.recordOf(a.map), a.map.valueSize, value.slice(0, size), 'written');
      f.update?.(a, keyFor(a.map, key), stored, flags);
    });
  }

  remove(fd: number, key: Uint8Array): void {
    this.operate('remove', { fd }, (a, f) => f.remove?.(a, keyFor(a.map, key)));
  }

  lookupAndDelete(fd: number, key: Uint8Array, flags: bigint): Uint8Array {
    if (flags & ~UPDATE.LOCK) fail('EINVAL');
    return this.operate('lookupAndDelete', { fd, flags }, (a, f) => {
      const value = f.lookupAndDelete?.(a, keyFor(a.map, key), flags) as Uint8Array;
      return blankFields(this.recordOf(a.map), a.map.valueSize, value, 'read');
    });
  }

  nextKey(fd: number, key: Uint8Array | undefined): Uint8Array {
    return this.operate('nextKey', { fd }, (a, f) => f.nextKey?.(a, key && keyFor(a.map, key)) as Uint8Array);
  }

  /** rule: map_freeze, 6.18 */
  freeze(fd: number): void {
    const { db, fds } = this.context;
    db.write(() => {
      const descriptor = fds.get(fd, 'map');
      const map = mapRecord(this.context.row(descriptor));
      if (this.recordOf(map) || map.type === MAP_TYPE.struct_ops) fail('ENOTSUPP');
      if (!isAllowed('write', descriptor, map)) fail('EPERM');
      db.run('UPDATE map SET frozen = 1 WHERE id = ?', map.id);
    });
  }

  info(fd: number): MapInfo {
    const map = this.byFd(fd);
    return {
      type: map.type,
      id: map.id,
      keySize: map.keySize,
      valueSize: map.valueSize,
      maxEntries: map.maxEntries,
      flags: map.flags,
      name: map.name,
      ifindex: 0,
      btfVmlinuxValueTypeId: map.btfVmlinuxValueType,
      netnsDev: 0n,
      netnsIno: 0n,
      btfId: map.btf,
      btfKeyTypeId: map.btfKeyType,
      btfValueTypeId: map.btfValueType,
      btfVmlinuxId: map.btfVmlinuxValueType ? VMLINUX_BTF : 0,
      mapExtra: map.extra,
      memlock: this.family(map).memlock(this.reach(map)),
      frozen: map.frozen,
      ...(map.owner && { ownerProgType: map.owner.type, ownerJited: map.owner.jited }),
    };
  }

  /** Special fields of a map's values. */
  private recordOf(map: MapRecord): SpecialRecord | undefined {
    if (!map.btf || !map.btfValueType) return undefined;
    if (!this.records.has(map.id)) this.records.set(map.id, this.parseRecord(map.btf, map.btfValueType, map.valueSize));
    return this.records.get(map.id);
  }

  private templateRecord({ btf, btfValueType, valueSize }: InnerTemplate): SpecialRecord | undefined {
    return btf && btfValueType ? this.parseRecord(btf, btfValueType, valueSize) : undefined;
  }

  private parseRecord(btf: number, type: number, size: number): SpecialRecord | undefined {
    return recordOfValue(this.btfs.byId(btf).btf, type, size, () => this.context.image.btf());
  }

  /** Address of the machine code of the program in a slot of a program array; undefined for an empty one. */
  programAt(mapId: number, key: number): bigint | undefined {
    const { objects } = this.context;
    const prog = objects.reference({ kind: 'map', id: mapId }, 'element', u32Bytes(key));
    const row = prog && objects.row('prog', prog.id);
    return row && programCode(row)[0]?.address;
  }

  /** A map as the verifier sees it; EBADF or EINVAL. */
  kmap(fd: number): KMap {
    return this.kmapOf(this.byFd(fd));
  }

  private kmapOf(map: MapRecord): KMap {
    return simulatedMap(this.reach(map), {
      btf: map.btf ? this.btfs.byId(map.btf) : undefined,
      record: this.recordOf(map),
      innerMap: map.inner && this.template(map, map.inner),
      programAt: (key) => this.programAt(map.id, key),
    });
  }

  /** The memory of an array's values, for those who may touch it directly; ENOENT. */
  valueArea(id: number): ValueArea {
    const map = this.byId(id);
    const access = this.reach(map);
    const size = round8(map.valueSize) * map.maxEntries;
    return {
      map: this.kmapOf(map),
      size,
      read: () => readArea(access, 0, size),
      write: (bytes) => this.context.db.write(() => writeArea(access, 0, bytes)),
    };
  }

  private template(outer: MapRecord, inner: InnerTemplate): KMap {
    return simulatedMap(this.reach(templateMap(outer, inner)), {
      btf: inner.btf ? this.btfs.byId(inner.btf) : undefined,
      record: this.templateRecord(inner),
      innerMap: undefined,
    });
  }

  /** Id of a program that may lie in a map. rule: prog_fd_array_get_ptr, 6.18 */
  private programFor(map: MapRecord, { id }: Descriptor): number {
    const row = this.context.objects.row('prog', id) ?? fail('ENOENT');
    const belongs = belongingOf(row);
    const candidate: Candidate = {
      type: Number(row.type),
      flags: Number(row.flags),
      expectedAttachType: Number(row.expected_attach_type),
      ...belongs,
      hook: belongs.hook,
    };
    if (candidate.type === PROG_TYPE.ext || !this.takes(map, candidate)) fail('EINVAL');
    return id;
  }

  /** Whether a program may lie in a map, or use it; the first one decides for all. */
  private takes(map: MapRecord, candidate: Candidate): boolean {
    const owner = belongsTo(map, candidate);
    if (!owner) return false;
    if (!map.owner) {
      this.context.db.run('UPDATE map SET owner = ? WHERE id = ?', JSON.stringify(owner), map.id);
    }
    return true;
  }

  /** Whether a loaded program may use a map by id; must stand in a transaction. rule: bpf_check_tail_call, 6.18 */
  mayUse(id: number, candidate: Candidate): boolean {
    const map = this.byId(id);
    return !this.family(map).owned || this.takes(map, candidate);
  }
}

const programFacts = (row: Row): ProgramFacts => ({
  id: Number(row.id),
  type: Number(row.type),
  expectedAttachType: Number(row.expected_attach_type),
  attachBtf: Number(row.attach_btf),
});

const DESCRIPTOR_BYTES = 4;
/** Values larger than this are made, but not passed to user space and back. */
const MAX_VALUE = 2 ** 30;

const isAllowed = (way: 'read' | 'write', { access }: Descriptor, map: MapRecord): boolean =>
  (access & BLOCKED[way]) === 0 && !(way === 'write' && map.frozen);

/** A key as long as the map wants it. */
function keyFor(map: MapRecord, key: Uint8Array): Uint8Array {
  if (key.length < map.keySize) fail('EFAULT');
  return key.length === map.keySize ? key : key.subarray(0, map.keySize);
}

/** rule: btf_record_equal, 6.18 */
const sameRecord = (a: SpecialRecord | undefined, b: SpecialRecord | undefined): boolean => {
  if (!a || !b) return a === b;
  if (a.fields.length !== b.fields.length) return false;
  return a.fields.every((field, i) => {
    const other = b.fields[i];
    return (
      field.kind === other.kind &&
      field.offset === other.offset &&
      field.btf === other.btf &&
      field.btfId === other.btfId &&
      field.nodeOffset === other.nodeOffset
    );
  });
};
