// The simulated kernel: the door's commands over one state file. Each command is one transaction.
import { Btf } from '../../btf/btf.ts';
import { SysError } from '../../errno.ts';
import { decodeInsns } from '../../isa/insn.ts';
import type {
  BtfInfo,
  BtfLoadAttr,
  Kernel,
  LinkInfo,
  MapCreateAttr,
  MapInfo,
  ObjectKind,
  PinKind,
  ProgInfo,
  ProgLoadAttr,
  TreeEntry,
} from '../../syscall.ts';
import { FLAG, UPDATE } from '../families/flags.ts';
import { familyOf } from '../families/index.ts';
import {
  bytesOf,
  type ElementHandles,
  type MapAccess,
  type MapFamily,
  type MapRecord,
  mapRecord,
} from '../families/record.ts';
import type { LoadedImage } from '../image/load.ts';
import { ALL_CAPABILITIES, type KBtf, type KMap } from '../objects.ts';
import type { Database, Row } from '../store/database.ts';
import { bpfCheck } from '../verifier/index.ts';
import { VerifierLog } from '../verifier/log.ts';
import { checkBtf } from './btf-check.ts';
import { CodeSpace } from './code-space.ts';
import { SimulatedMap } from './kmap.ts';
import { checkMapCreate, objectName } from './map-create.ts';
import { type ObjectId, ObjectStore } from './object-store.ts';
import { attachTypeOf, checkProgAttr, isGplCompatible } from './prog-attr.ts';
import { insertProgram, progInfoOf } from './prog-store.ts';
import { Tree } from './tree.ts';

const LOG_KNOWN = 0xf;
const LOG_MAX = (0xffffffff >> 2) >>> 0;
const FIRST_FD = 3;
/** The process's own input and output: open, but nothing of BPF. */
const isStream = (fd: number): boolean => fd >= 0 && fd < FIRST_FD;
/** struct bpf_map objects, then value areas: somewhere in the direct mapping, a page apart at least. */
const MAP_ADDRESSES = 0xffff888100000000n;
const VALUE_ADDRESSES = 0xffffc90000000000n;
const PAGE = 4096n;

/** Flags that concern the descriptor, not the map. */
const FD_FLAGS = FLAG.RDONLY | FLAG.WRONLY;

type Operation = 'lookup' | 'update' | 'remove' | 'nextKey' | 'lookupAndDelete';

export class SimulatedKernel implements Kernel {
  readonly kind = 'simulated';
  readonly image: LoadedImage;
  private readonly db: Database;
  private readonly objects: ObjectStore;
  private readonly tree: Tree;
  private readonly code: CodeSpace;
  private readonly fds = new Map<number, ObjectId>();
  /** Descriptors that may only read or only write their map. */
  private readonly access = new Map<number, number>();
  private nextFd = FIRST_FD;
  private readonly parsedBtf = new Map<number, Btf>();

  constructor(db: Database, image: LoadedImage) {
    this.db = db;
    this.image = image;
    this.objects = new ObjectStore(db);
    this.tree = new Tree(this.objects);
    this.code = new CodeSpace(db);
    if (!db.readOnly && this.objects.hasStaleHolders()) db.write(() => this.objects.endStaleHolders());
  }

  get release(): string {
    return this.image.release;
  }

  get possibleCpus(): number {
    return this.image.possibleCpus;
  }

  bootTime(): bigint {
    return BigInt(this.db.get("SELECT value FROM setting WHERE name = 'boot_time'")?.value as bigint);
  }

  private sinceBoot(): bigint {
    return BigInt(Date.now()) * 1_000_000n - this.bootTime();
  }

  // Descriptors

  private open(object: ObjectId): number {
    this.objects.hold(object);
    const fd = this.nextFd++;
    this.fds.set(fd, object);
    return fd;
  }

  private object(fd: number, kind?: ObjectKind): ObjectId {
    const object = this.fds.get(fd);
    if (!object) throw new SysError(isStream(fd) ? 'EINVAL' : 'EBADF');
    if (kind && object.kind !== kind) throw new SysError('EINVAL');
    return object;
  }

  close(fd: number): void {
    const object = this.object(fd);
    this.fds.delete(fd);
    this.access.delete(fd);
    for (const other of this.fds.values()) {
      if (other.kind === object.kind && other.id === object.id) return;
    }
    this.db.write(() => this.objects.letGo(object));
  }

  closeAll(): void {
    this.fds.clear();
    if (!this.db.readOnly) this.db.write(() => this.objects.end());
    this.db.close();
  }

  private rowOf(fd: number, kind: ObjectKind): Row {
    const { id } = this.object(fd, kind);
    const row = this.objects.row(kind, id);
    if (!row) throw new SysError('ENOENT');
    return row;
  }

  // Maps

  private mapOf(fd: number): MapRecord {
    return mapRecord(this.rowOf(fd, 'map'));
  }

  private mapById(id: number): MapRecord {
    const row = this.objects.row('map', id);
    if (!row) throw new SysError('ENOENT');
    return mapRecord(row);
  }

  private readonly handles: ElementHandles = {
    idOf: (fd, kind) => this.object(fd, kind).id,
    setReference: (map, slot, kind, id) => {
      const from: ObjectId = { kind: 'map', id: map.id };
      this.objects.unrefer(from, 'element', slot);
      if (id !== undefined) this.objects.refer(from, 'element', slot, { kind, id });
    },
    reference: (map, slot) => this.objects.reference({ kind: 'map', id: map.id }, 'element', slot)?.id,
    mapById: (id) => this.mapById(id),
    progType: (id) => Number(this.objects.row('prog', id)?.type),
  };

  private reach(map: MapRecord): MapAccess {
    return { db: this.db, map, cpus: this.possibleCpus, handles: this.handles };
  }

  private family(map: MapRecord): MapFamily {
    return familyOf(map.type) as MapFamily;
  }

  mapCreate(attr: MapCreateAttr): number {
    return this.db.write(() => {
      const made = checkMapCreate(attr, {
        maxCpus: Number(this.image.config('CONFIG_NR_CPUS') ?? this.possibleCpus),
        btfByFd: (fd) => this.kbtf(this.object(fd, 'btf').id),
        mapByFd: (fd) => this.mapOf(fd),
        vmlinux: () => this.image.btf(),
      });
      const id = this.db.next('map');
      const { attr: a, family } = made;
      const address = MAP_ADDRESSES + BigInt(id) * PAGE;
      // Value areas follow each other, each with an empty page behind it.
      const bytes = BigInt(Math.ceil((Math.ceil(a.valueSize / 8) * 8 * a.maxEntries) / 4096)) * PAGE;
      const offset = family.direct ? this.takeValueSpace(bytes + PAGE) : 0n;
      const signed = (n: bigint): bigint => BigInt.asIntN(64, n);
      const sql = `INSERT INTO map (id, type, key_size, value_size, max_entries, flags, extra, name, ifindex, btf,
        btf_key_type, btf_value_type, btf_vmlinux_value_type, frozen, bypass_spec_v1, address, value_address, inner_map)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?, ?, 0, 1, ?, ?, ?)`;
      this.db.run(
        sql,
        id,
        a.type,
        a.keySize,
        a.valueSize,
        a.maxEntries,
        (a.flags & ~FD_FLAGS) | (family.addsFlags ?? 0),
        signed(a.extra),
        made.name,
        made.btf?.id ?? 0,
        attr.btfKeyTypeId ?? 0,
        attr.btfValueTypeId ?? 0,
        attr.btfVmlinuxValueTypeId ?? 0,
        signed(address),
        family.direct ? signed(VALUE_ADDRESSES + offset) : null,
        made.inner ? JSON.stringify(made.inner) : null,
      );
      if (made.btf) this.objects.referOnce({ kind: 'map', id }, 'btf', { kind: 'btf', id: made.btf.id });
      const fd = this.open({ kind: 'map', id });
      this.access.set(fd, a.flags & FD_FLAGS);
      return fd;
    });
  }

  private takeValueSpace(bytes: bigint): bigint {
    const row = this.db.get("SELECT value FROM counter WHERE name = 'value-space'");
    const at = row ? BigInt(row.value as bigint) : PAGE;
    this.db.run("INSERT OR REPLACE INTO counter VALUES ('value-space', ?)", at + bytes);
    return at;
  }

  /** Runs an operation of a family, or throws the errno that stands for one it has not. */
  private operate<T>(
    fd: number,
    operation: Operation,
    write: boolean,
    run: (f: MapFamily, a: MapAccess) => T,
    flags = 0n,
  ): T {
    const work = (): T => {
      const map = this.mapOf(fd);
      const family = this.family(map);
      const mode = this.access.get(fd) ?? 0;
      if (mode & (write ? FLAG.RDONLY : FLAG.WRONLY) || (write && map.frozen)) throw new SysError('EPERM');
      this.checkLock(map, flags);
      if (!family[operation]) throw new SysError(family.missing?.[operation] ?? 'ENOTSUPP');
      return run(family, this.reach(map));
    };
    return write ? this.db.write(work) : work();
  }

  /** BPF_F_LOCK is for values with a spin lock. */
  private checkLock(map: MapRecord, flags: bigint): void {
    if (flags & UPDATE.LOCK && !this.kmap(map).record?.fields.some((f) => f.kind === 'bpf_spin_lock')) {
      throw new SysError('EINVAL');
    }
  }

  /** A key as long as the map wants it. */
  private key(map: MapRecord, key: Uint8Array): Uint8Array {
    if (key.length < map.keySize) throw new SysError('EFAULT');
    return key.length === map.keySize ? key : key.subarray(0, map.keySize);
  }

  mapLookup(fd: number, key: Uint8Array, flags = 0n): Uint8Array {
    return this.operate(
      fd,
      'lookup',
      false,
      (f, a) => {
        if (flags & ~UPDATE.LOCK) throw new SysError('EINVAL');
        return f.lookup?.(a, this.key(a.map, key), flags) as Uint8Array;
      },
      flags,
    );
  }

  mapUpdate(fd: number, key: Uint8Array, value: Uint8Array, flags = 0n): void {
    this.operate(
      fd,
      'update',
      true,
      (f, a) => {
        const size = f.valueBytes?.(a.map, a.cpus) ?? a.map.valueSize;
        if (value.length < size) throw new SysError('EFAULT');
        f.update?.(a, this.key(a.map, key), value.subarray(0, size), flags);
      },
      flags,
    );
  }

  mapDelete(fd: number, key: Uint8Array): void {
    this.operate(fd, 'remove', true, (f, a) => f.remove?.(a, this.key(a.map, key)));
  }

  mapLookupAndDelete(fd: number, key: Uint8Array, flags = 0n): Uint8Array {
    return this.operate(
      fd,
      'lookupAndDelete',
      true,
      (f, a) => f.lookupAndDelete?.(a, this.key(a.map, key), flags) as Uint8Array,
    );
  }

  mapNextKey(fd: number, key: Uint8Array | undefined): Uint8Array {
    return this.operate(fd, 'nextKey', false, (f, a) => f.nextKey?.(a, key && this.key(a.map, key)) as Uint8Array);
  }

  mapFreeze(fd: number): void {
    this.db.write(() => {
      const map = this.mapOf(fd);
      if (map.frozen) throw new SysError('EPERM');
      this.db.run('UPDATE map SET frozen = 1 WHERE id = ?', map.id);
    });
  }

  mapInfo(fd: number): MapInfo {
    const map = this.mapOf(fd);
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
      btfVmlinuxId: 0,
      mapExtra: map.extra,
      memlock: this.family(map).memlock(this.reach(map)),
      frozen: map.frozen,
      ...(map.owner && { ownerProgType: map.owner.type, ownerJited: map.owner.jited }),
    };
  }

  /** A map as the verifier sees it. */
  private kmap(map: MapRecord): KMap {
    return new SimulatedMap(map, this.reach(map), {
      btf: map.btf ? this.kbtf(map.btf) : undefined,
      vmlinux: () => this.image.btf(),
      inner: (template) => this.kmap(template),
    });
  }

  // BTF

  /** A BTF object of this kernel. */
  private kbtf(id: number): KBtf {
    const row = this.objects.row('btf', id);
    if (!row) throw new SysError('ENOENT');
    const kernel = Number(row.kernel) !== 0;
    let btf = kernel ? this.image.btf() : this.parsedBtf.get(id);
    if (!btf) {
      btf = Btf.parse(bytesOf(row.bytes));
      this.parsedBtf.set(id, btf);
    }
    return { id, btf, kernel, name: String(row.name) };
  }

  btfLoad(attr: BtfLoadAttr): number {
    checkLogRequest(attr.log);
    const btf = checkBtf(attr.bytes, attr.log);
    return this.db.write(() => {
      const id = this.db.next('btf');
      this.db.run('INSERT INTO btf VALUES (?, ?, 0, ?)', id, '', attr.bytes);
      this.parsedBtf.set(id, btf);
      return this.open({ kind: 'btf', id });
    });
  }

  btfInfo(fd: number): BtfInfo {
    const row = this.rowOf(fd, 'btf');
    const kernelBtf = Number(row.kernel) !== 0;
    const bytes = kernelBtf ? this.image.btfBytes() : bytesOf(row.bytes);
    return { id: Number(row.id), name: String(row.name), kernelBtf, size: bytes.length, bytes };
  }

  // Programs

  progLoad(attr: ProgLoadAttr): number {
    const caps = ALL_CAPABILITIES;
    const disabled = (this.image.sysctl('kernel/unprivileged_bpf_disabled') ?? '2') !== '0';
    checkProgAttr(attr, caps, disabled, (option) => this.image.config(option));
    const name = objectName(attr.name ?? '');
    checkLogRequest(attr.log);
    const log = new VerifierLog(attr.log?.level ?? 0, attr.log?.size ?? 0);
    const attachBtf = attr.attachBtfId ? this.kbtf(VMLINUX_BTF) : undefined;
    // The verifier tells maps apart by identity.
    const maps = new Map<number, KMap>();
    const mapByFd = (fd: number): KMap => {
      const object = this.object(fd, 'map');
      const map = maps.get(object.id) ?? this.kmap(this.mapById(object.id));
      maps.set(object.id, map);
      return map;
    };
    const btfByFd = (fd: number): KBtf => this.kbtf(this.object(fd, 'btf').id);
    const records = [attr.funcInfo, attr.lineInfo, attr.coreRelos];
    const usesBtf = records.some((r) => r && r.bytes.length > 0);
    const known = this.fds.get(attr.btfFd ?? 0)?.kind === 'btf';
    const { errno, env } = bpfCheck({
      image: this.image,
      caps,
      type: attr.type,
      expectedAttachType: attachTypeOf(attr),
      flags: attr.flags ?? 0,
      name,
      gplCompatible: isGplCompatible(attr.license),
      insns: decodeInsns(attr.insns),
      log,
      btf: usesBtf && known ? btfByFd(attr.btfFd ?? 0) : undefined,
      btfFd: attr.btfFd ?? 0,
      funcInfo: attr.funcInfo,
      lineInfo: attr.lineInfo,
      coreRelos: attr.coreRelos,
      attachBtfId: attr.attachBtfId ?? 0,
      attachBtf,
      fdArray: attr.fdArray,
      fdArrayBinds: attr.fdArrayBinds ?? false,
      mapByFd,
      btfByFd,
      allocateCode: (bytes) => this.code.allocate(bytes),
    });
    if (attr.log) {
      attr.log.text = log.finish();
      attr.log.trueSize = log.trueSize;
    }
    if (errno !== 0) throw new SysError(-errno);
    const { program } = env;
    if (!program) throw new SysError('EFAULT');
    const btfObject = usesBtf ? this.fds.get(attr.btfFd ?? 0)?.id : undefined;
    return this.db.write(() => {
      const id = this.db.next('prog');
      const facts = {
        id,
        type: attr.type,
        name,
        flags: attr.flags ?? 0,
        expectedAttachType: attachTypeOf(attr),
        loadTime: this.sinceBoot(),
        uid: process.getuid?.() ?? 0,
        gpl: isGplCompatible(attr.license),
        ifindex: attr.ifindex ?? 0,
        verifiedInsns: env.insnProcessed,
        btf: btfObject ?? 0,
        attachBtfObj: attachBtf?.id ?? 0,
        attachBtf: attr.attachBtfId ?? 0,
      };
      insertProgram(this.db, facts, program);
      const self: ObjectId = { kind: 'prog', id };
      env.usedMaps.forEach((map, i) => {
        this.objects.refer(self, 'map', slotOf(i), { kind: 'map', id: map.id });
        this.own(map.id, attr.type);
      });
      if (btfObject) this.objects.referOnce(self, 'btf', { kind: 'btf', id: btfObject });
      return this.open(self);
    });
  }

  /** A program array belongs to the first type of program that uses it. */
  private own(id: number, type: number): void {
    const map = this.mapById(id);
    if (this.family(map).holds !== 'prog' || map.owner) return;
    this.db.run('UPDATE map SET owner = ? WHERE id = ?', JSON.stringify({ type, jited: true }), id);
  }

  progBindMap(progFd: number, mapFd: number): void {
    this.db.write(() => {
      const prog = this.object(progFd, 'prog');
      const map = this.object(mapFd, 'map');
      const ids = this.mapIds(prog.id);
      if (!ids.includes(map.id)) this.objects.refer(prog, 'map', slotOf(ids.length), map);
    });
  }

  private mapIds(prog: number): number[] {
    const sql = "SELECT target_id FROM ref WHERE kind = 1 AND id = ? AND role = 'map' ORDER BY slot";
    return this.db.all(sql, prog).map((row) => Number(row.target_id));
  }

  progInfo(fd: number): ProgInfo {
    const row = this.rowOf(fd, 'prog');
    return progInfoOf(row, this.mapIds(Number(row.id)));
  }

  // Links: nothing makes one yet

  linkInfo(fd: number): LinkInfo {
    const row = this.rowOf(fd, 'link');
    return {
      type: Number(row.type),
      id: Number(row.id),
      progId: Number(row.prog),
      detail: JSON.parse(String(row.detail)),
    };
  }

  // Ids and pins

  nextId(kind: ObjectKind, id: number): number {
    const next = this.objects.nextId(kind, id);
    if (next === undefined) throw new SysError('ENOENT');
    return next;
  }

  fdById(kind: ObjectKind, id: number): number {
    return this.db.write(() => {
      if (!this.objects.exists(kind, id)) throw new SysError('ENOENT');
      return this.open({ kind, id });
    });
  }

  objPin(path: string, fd: number): void {
    this.db.write(() => this.tree.pin(path, this.object(fd)));
  }

  objGet(path: string): { fd: number; kind: PinKind } {
    return this.db.write(() => {
      const object = this.tree.get(path);
      return { fd: this.open(object), kind: object.kind };
    });
  }

  treeList(path: string): TreeEntry[] {
    return this.tree.list(path);
  }

  treeMkdir(path: string): void {
    this.db.write(() => this.tree.mkdir(path));
  }

  treeUnlink(path: string): void {
    this.db.write(() => this.tree.unlink(path));
  }

  // Files and symbols

  readFile(path: string): Uint8Array | undefined {
    return this.image.file(path);
  }

  symbolAt(address: bigint): string | undefined {
    return this.code.symbolAt(address) ?? this.image.symbolAt(address);
  }

  symbolAddress(name: string): bigint | undefined {
    return this.image.symbolAddress(name);
  }

  /** How many objects there are. */
  counts(): Record<ObjectKind | 'pins', number> {
    const count = (table: string, where = ''): number =>
      Number(this.db.get(`SELECT count(*) AS n FROM ${table} ${where}`)?.n);
    return {
      prog: count('prog'),
      map: count('map'),
      btf: count('btf'),
      link: count('link'),
      pins: count('node', 'WHERE kind <> 0'),
    };
  }

  /** Bytes of the state file. */
  stateSize(): number {
    return this.db.size();
  }

  get statePath(): string {
    return this.db.path;
  }
}

/** The first BTF object of every kernel. */
const VMLINUX_BTF = 1;

function slotOf(i: number): Uint8Array {
  const slot = new Uint8Array(4);
  new DataView(slot.buffer).setUint32(0, i, false);
  return slot;
}

/** A log needs a level, and room. rule: bpf_verifier_log_attr_valid, 6.18 */
function checkLogRequest(log: ProgLoadAttr['log']): void {
  if (!log || (log.level === 0 && log.size === 0)) return;
  if (log.level === 0 || log.level & ~LOG_KNOWN || log.size === 0 || log.size > LOG_MAX) throw new SysError('EINVAL');
}
