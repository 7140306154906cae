// The simulated kernel: the door's commands over one state file. The work is done by the files beside this one; each
// command that changes something is one transaction.
import { SysError } from '../../errno.ts';
import type {
  BtfInfo,
  BtfLoadAttr,
  CodeArch,
  Kernel,
  LinkInfo,
  MapCreateAttr,
  MapInfo,
  ObjectKind,
  PinKind,
  ProgCode,
  ProgInfo,
  ProgLoadAttr,
  ProgRunAttr,
  ProgSource,
  TreeEntry,
} from '../../syscall.ts';
import type { LoadedImage } from '../image/load.ts';
import { jsonColumn } from '../maps/record.ts';
import { ALL_CAPABILITIES, type Capabilities } from '../objects.ts';
import type { Database } from '../store/database.ts';
import { boot } from './boot.ts';
import { BtfObjects } from './btf-objects.ts';
import { CodeNames } from './code-space.ts';
import { KernelContext } from './context.ts';
import { readKernelFile } from './files.ts';
import { MapObjects } from './map-objects.ts';
import { HOLDERS } from './object-store.ts';
import { ProgObjects } from './prog-objects.ts';
import { runProgram } from './prog-run.ts';
import { Tree } from './tree.ts';

const MAX_INT = 0x7fffffff;
/** EBADFD: what reading about a descriptor says where there is none. */
const EBADFD = 77;

export class SimulatedKernel implements Kernel {
  readonly kind = 'simulated';
  readonly image: LoadedImage;
  private readonly context: KernelContext;
  private readonly tree: Tree;
  private readonly names: CodeNames;
  private readonly btfs: BtfObjects;
  private readonly maps: MapObjects;
  private readonly progs: ProgObjects;

  /** Objects that only processes held which are no more go away here. */
  constructor(db: Database, image: LoadedImage, caps: Capabilities = ALL_CAPABILITIES) {
    this.image = image;
    this.context = new KernelContext(db, image, caps);
    this.tree = new Tree(this.context.objects);
    this.names = new CodeNames(db);
    this.btfs = new BtfObjects(this.context);
    this.maps = new MapObjects(this.context, this.btfs);
    this.progs = new ProgObjects(this.context, this.btfs, this.maps);
    const { objects } = this.context;
    if (!db.readOnly && objects.hasStaleHolders()) db.write(() => objects.endStaleHolders());
  }

  get release(): string {
    return this.image.release;
  }

  get possibleCpus(): number {
    return this.image.possibleCpus;
  }

  bootTime(): bigint {
    return this.context.bootTime();
  }

  // Maps

  mapCreate(attr: MapCreateAttr): number {
    return this.maps.create(attr);
  }

  mapLookup(fd: number, key: Uint8Array, flags = 0n): Uint8Array {
    return this.maps.lookup(fd, key, flags);
  }

  mapUpdate(fd: number, key: Uint8Array, value: Uint8Array, flags = 0n): void {
    this.maps.update(fd, key, value, flags);
  }

  mapDelete(fd: number, key: Uint8Array): void {
    this.maps.remove(fd, key);
  }

  mapLookupAndDelete(fd: number, key: Uint8Array, flags = 0n): Uint8Array {
    return this.maps.lookupAndDelete(fd, key, flags);
  }

  mapNextKey(fd: number, key: Uint8Array | undefined): Uint8Array {
    return this.maps.nextKey(fd, key);
  }

  mapFreeze(fd: number): void {
    this.maps.freeze(fd);
  }

  // Programs and BTF

  progLoad(attr: ProgLoadAttr): number {
    return this.progs.load(attr);
  }

  progBindMap(progFd: number, mapFd: number): void {
    this.progs.bindMap(progFd, mapFd);
  }

  progRun(fd: number, attr: ProgRunAttr): number {
    return runProgram(this, this.context, this.maps, fd, attr);
  }

  btfLoad(attr: BtfLoadAttr): number {
    return this.btfs.load(attr);
  }

  // What is told of objects

  /** Runs a question about a descriptor, which has an errno of its own for one that is not open. */
  private about<T>(fd: number, tell: () => T): T {
    if (!this.context.fds.find(fd)) throw new SysError(EBADFD, 'File descriptor in bad state');
    return tell();
  }

  progInfo(fd: number): ProgInfo {
    return this.about(fd, () => this.progs.info(fd));
  }

  progCode(fd: number, arch: CodeArch): ProgCode {
    return this.about(fd, () => this.progs.code(fd, arch));
  }

  progSource(fd: number): ProgSource {
    return this.about(fd, () => this.progs.source(fd));
  }

  mapInfo(fd: number): MapInfo {
    return this.about(fd, () => this.maps.info(fd));
  }

  btfInfo(fd: number): BtfInfo {
    return this.about(fd, () => this.btfs.info(fd));
  }

  /** Nothing makes a link yet. */
  linkInfo(fd: number): LinkInfo {
    return this.about(fd, () => {
      const row = this.context.rowOf(fd, 'link');
      const detail = jsonColumn(row, 'detail') as LinkInfo['detail'];
      return { type: Number(row.type), id: Number(row.id), progId: Number(row.prog), detail };
    });
  }

  // Ids, descriptors and pins

  nextId(kind: ObjectKind, id: number): number {
    if (id < 0 || id >= MAX_INT) throw new SysError('EINVAL');
    this.needAdmin();
    const next = this.context.objects.nextId(kind, id);
    if (next === undefined) throw new SysError('ENOENT');
    return next;
  }

  /** Looking at all objects needs CAP_SYS_ADMIN. */
  private needAdmin(): void {
    if (!this.context.caps.sysAdmin) throw new SysError('EPERM');
  }

  fdById(kind: ObjectKind, id: number): number {
    this.needAdmin();
    return this.context.opening(() => {
      if (!this.context.objects.exists(kind, id)) throw new SysError('ENOENT');
      return this.context.open({ kind, id });
    });
  }

  close(fd: number): void {
    this.context.close(fd);
  }

  closeAll(): void {
    const { db, fds, objects } = this.context;
    fds.clear();
    try {
      if (!db.readOnly) db.write(() => objects.end());
    } finally {
      db.close();
    }
  }

  objPin(path: string, fd: number): void {
    const object = this.context.fds.find(fd);
    if (!object) throw new SysError('EINVAL');
    this.context.db.write(() => this.tree.pin(path, object));
  }

  objGet(path: string): { fd: number; kind: PinKind } {
    return this.context.opening(() => {
      const object = this.tree.get(path);
      return { fd: this.context.open(object), kind: object.kind };
    });
  }

  treeList(path: string): TreeEntry[] {
    return this.tree.list(path);
  }

  treeMkdir(path: string): void {
    this.context.db.write(() => this.tree.mkdir(path));
  }

  treeUnlink(path: string): void {
    this.context.db.write(() => this.tree.unlink(path));
  }

  // Files and symbols

  readFile(path: string): Uint8Array | undefined {
    return readKernelFile(this.context, path);
  }

  symbolAt(address: bigint): string | undefined {
    return this.names.at(address) ?? this.image.symbolAt(address);
  }

  symbolAddress(name: string): bigint | undefined {
    return this.image.symbolAddress(name);
  }

  // The state itself

  /** How many objects there are. */
  counts(): Record<ObjectKind | 'pins', number> {
    const count = (table: string, where = ''): number =>
      Number(this.context.db.get(`SELECT count(*) AS n FROM ${table} ${where}`)?.n);
    return {
      prog: count('prog'),
      map: count('map'),
      btf: count('btf'),
      link: count('link'),
      pins: count('node', 'WHERE kind <> 0'),
    };
  }

  /** Everything goes away and ids begin anew, as after a start of the machine; open descriptors lead nowhere. */
  reset(): void {
    this.context.fds.clear();
    this.context.db.empty(boot, [HOLDERS]);
  }

  /** Bytes of the state file. */
  stateSize(): number {
    return this.context.db.size();
  }

  get statePath(): string {
    return this.context.db.path;
  }
}
