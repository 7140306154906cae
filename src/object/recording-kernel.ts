// A kernel for tests of the loader: takes everything and remembers what it was asked for.
import { SysError } from '../errno.ts';
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
} from '../syscall.ts';

/** Offset in the BTF header of the length of the kind layout table, which Linux 6.18 does not know. */
const LAYOUT_LENGTH_AT = 28;

export interface RecordedMap {
  attr: MapCreateAttr;
  fd: number;
  contents: Map<string, Uint8Array>;
  frozen: boolean;
}

export interface RecordedProgram {
  attr: ProgLoadAttr;
  fd: number;
  bound: number[];
}

/** How the kernel answers a load: by throwing, or not at all. The log is filled in here too. */
export type Verdict = (attr: ProgLoadAttr) => void;

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

export class RecordingKernel implements Kernel {
  readonly kind = 'simulated';
  readonly release = '6.18.44';
  readonly possibleCpus = 2;
  readonly maps: RecordedMap[] = [];
  readonly programs: RecordedProgram[] = [];
  readonly btfs: BtfLoadAttr[] = [];
  readonly pins = new Map<string, number>();
  /** Descriptors that are open. */
  readonly open = new Set<number>();
  readonly folders = new Set(['/sys/fs/bpf']);
  private readonly files: ReadonlyMap<string, Uint8Array>;
  private readonly verdict: Verdict;
  private nextFd = 100;

  constructor(files: Readonly<Record<string, Uint8Array>> = {}, verdict: Verdict = () => undefined) {
    this.files = new Map(Object.entries(files));
    this.verdict = verdict;
  }

  private newFd(): number {
    const fd = this.nextFd++;
    this.open.add(fd);
    return fd;
  }

  private map(fd: number): RecordedMap {
    const map = this.maps.find((m) => m.fd === fd);
    if (!map || !this.open.has(fd)) throw new SysError('EBADF');
    return map;
  }

  mapCreate(attr: MapCreateAttr): number {
    const fd = this.newFd();
    this.maps.push({ attr: { ...attr }, fd, contents: new Map(), frozen: false });
    return fd;
  }

  mapLookup(fd: number, key: Uint8Array): Uint8Array {
    const value = this.map(fd).contents.get(hex(key));
    if (!value) throw new SysError('ENOENT');
    return value;
  }

  mapUpdate(fd: number, key: Uint8Array, value: Uint8Array): void {
    this.map(fd).contents.set(hex(key), value.slice());
  }

  mapDelete(fd: number, key: Uint8Array): void {
    this.map(fd).contents.delete(hex(key));
  }

  mapLookupAndDelete(fd: number, key: Uint8Array): Uint8Array {
    const value = this.mapLookup(fd, key);
    this.mapDelete(fd, key);
    return value;
  }

  mapNextKey(): Uint8Array {
    throw new SysError('ENOENT');
  }

  mapFreeze(fd: number): void {
    this.map(fd).frozen = true;
  }

  progLoad(attr: ProgLoadAttr): number {
    this.verdict(attr);
    const fd = this.newFd();
    this.programs.push({ attr: { ...attr }, fd, bound: [] });
    return fd;
  }

  progBindMap(progFd: number, mapFd: number): void {
    this.map(mapFd);
    this.programs.find((p) => p.fd === progFd)?.bound.push(mapFd);
  }

  progRun(): number {
    throw new SysError('ENOTSUPP');
  }

  btfLoad(attr: BtfLoadAttr): number {
    const view = new DataView(attr.bytes.buffer, attr.bytes.byteOffset, attr.bytes.byteLength);
    if (view.getUint32(4, true) > LAYOUT_LENGTH_AT && view.getUint32(LAYOUT_LENGTH_AT, true)) {
      throw new SysError('E2BIG');
    }
    this.btfs.push(attr);
    return this.newFd();
  }

  objPin(path: string, fd: number): void {
    if (this.pins.has(path)) throw new SysError('EEXIST');
    this.pins.set(path, fd);
  }

  objGet(path: string): { fd: number; kind: PinKind } {
    const fd = this.pins.get(path);
    if (fd === undefined) throw new SysError('ENOENT');
    this.open.add(fd);
    return { fd, kind: 'map' };
  }

  nextId(_kind: ObjectKind, _id: number): number {
    throw new SysError('ENOENT');
  }

  fdById(): number {
    throw new SysError('ENOENT');
  }

  progInfo(): ProgInfo {
    throw new SysError('EINVAL');
  }

  mapInfo(fd: number): MapInfo {
    const { attr, frozen } = this.map(fd);
    return {
      type: attr.type,
      id: fd,
      keySize: attr.keySize,
      valueSize: attr.valueSize,
      maxEntries: attr.maxEntries,
      flags: attr.flags ?? 0,
      name: attr.name ?? '',
      ifindex: 0,
      btfVmlinuxValueTypeId: 0,
      netnsDev: 0n,
      netnsIno: 0n,
      btfId: 0,
      btfKeyTypeId: 0,
      btfValueTypeId: 0,
      btfVmlinuxId: 0,
      mapExtra: attr.mapExtra ?? 0n,
      memlock: 0,
      frozen,
    };
  }

  btfInfo(): BtfInfo {
    throw new SysError('EINVAL');
  }

  linkInfo(): LinkInfo {
    throw new SysError('EINVAL');
  }

  close(fd: number): void {
    if (!this.open.delete(fd)) throw new SysError('EBADF');
  }

  closeAll(): void {
    this.open.clear();
  }

  treeList(path: string): TreeEntry[] {
    if (!this.folders.has(path)) throw new SysError('ENOENT');
    return [];
  }

  treeMkdir(path: string): void {
    if (this.folders.has(path)) throw new SysError('EEXIST');
    this.folders.add(path);
  }

  treeUnlink(path: string): void {
    if (!this.pins.delete(path)) throw new SysError('ENOENT');
  }

  readFile(path: string): Uint8Array | undefined {
    return this.files.get(path);
  }

  symbolAt(): string | undefined {
    return undefined;
  }

  symbolAddress(): bigint | undefined {
    return undefined;
  }

  bootTime(): bigint {
    return 0n;
  }
}
