// The running Linux behind the door: bpf(2) through a foreign function interface that is loaded only when asked for.
import { release } from 'node:os';
import { SysError } from '../errno.ts';
import { ATTR } from '../isa/bpf-attr.ts';
import { MAP_TYPE } from '../isa/uapi.ts';
import type {
  BtfInfo,
  BtfLoadAttr,
  InfoRecords,
  Kernel,
  LinkInfo,
  LogRequest,
  MapCreateAttr,
  MapInfo,
  ObjectKind,
  PinKind,
  ProgInfo,
  ProgLoadAttr,
  ProgRunAttr,
  TreeEntry,
} from '../syscall.ts';
import { Block, CMD, cString, type NativeCalls, nativeCalls, zeroTerminated } from './bpf-call.ts';
import { descriptorKind, fdInfo, ownDescriptors } from './fdinfo.ts';
import { btfInfo, mapInfo, progInfo } from './info.ts';
import { KernelSymbols } from './kallsyms.ts';
import { linkInfo } from './link-info.ts';
import { hostFile, listFolder, makeFolder, removeEntry } from './tree.ts';

/** Map types that hold a value for each possible CPU. */
const PER_CPU: ReadonlySet<number> = new Set([
  MAP_TYPE.percpu_hash,
  MAP_TYPE.percpu_array,
  MAP_TYPE.lru_percpu_hash,
  MAP_TYPE.percpu_cgroup_storage,
]);

const PAGE_BYTES = 4096n;
/** Largest log buffer that Linux takes: UINT32_MAX >> 2. */
const MAX_LOG_BYTES = 0xffffffff >>> 2;

const NEXT_ID: Readonly<Record<ObjectKind, number>> = {
  prog: CMD.PROG_GET_NEXT_ID,
  map: CMD.MAP_GET_NEXT_ID,
  btf: CMD.BTF_GET_NEXT_ID,
  link: CMD.LINK_GET_NEXT_ID,
};

const FD_BY_ID: Readonly<Record<ObjectKind, number>> = {
  prog: CMD.PROG_GET_FD_BY_ID,
  map: CMD.MAP_GET_FD_BY_ID,
  btf: CMD.BTF_GET_FD_BY_ID,
  link: CMD.LINK_GET_FD_BY_ID,
};

/** Key of fdinfo that holds the id of each kind. */
const ID_KEY: Readonly<Record<PinKind, string>> = { prog: 'prog_id', map: 'map_id', link: 'link_id', btf: 'btf_id' };

interface MapShape {
  keySize: number;
  /** Bytes that a look-up gives. */
  lookupBytes: number;
}

/** Descriptors are those of this process. Every method throws SysError with the errno that Linux gave. */
export class LiveKernel implements Kernel {
  readonly kind = 'live';
  readonly release = release();
  readonly possibleCpus: number;
  private readonly native: NativeCalls;
  private readonly open = new Set<number>();
  private readonly shapes = new Map<number, MapShape>();
  private readonly symbols = new KernelSymbols();

  constructor(native: NativeCalls) {
    this.native = native;
    this.possibleCpus = countCpus();
  }

  private attr(): Block {
    return new Block(this.native);
  }

  private call(command: number, attr: Block): number {
    return this.native.bpf(command, attr.bytes);
  }

  private opened(fd: number): number {
    this.open.add(fd);
    return fd;
  }

  mapCreate(attr: MapCreateAttr): number {
    const block = this.attr()
      .setU32(0, attr.type)
      .setU32(4, attr.keySize)
      .setU32(8, attr.valueSize)
      .setU32(12, attr.maxEntries)
      .setU32(16, attr.flags)
      .setU32(20, attr.innerMapFd)
      .setU32(24, attr.numaNode)
      .setName(28, attr.name)
      .setU32(44, attr.ifindex)
      .setU32(48, attr.btfFd)
      .setU32(52, attr.btfKeyTypeId)
      .setU32(56, attr.btfValueTypeId)
      .setU32(60, attr.btfVmlinuxValueTypeId)
      .setU64(64, attr.mapExtra)
      .setU32(72, attr.valueTypeBtfObjFd)
      .setU32(76, attr.tokenFd)
      .setPointer(80, attr.exclProgHash)
      .setU32(88, attr.exclProgHash?.length);
    const fd = this.opened(this.call(CMD.MAP_CREATE, block));
    if (attr.type === MAP_TYPE.arena) {
      // Linux takes programs with an arena only once that has a place in user space.
      this.native.mmap(fd, BigInt(attr.maxEntries) * PAGE_BYTES, attr.mapExtra ?? 0n);
    }
    return fd;
  }

  private shape(fd: number): MapShape {
    let shape = this.shapes.get(fd);
    if (shape === undefined) {
      const info = mapInfo(this.native, fd);
      const perCpu = PER_CPU.has(info.type);
      const lookupBytes = perCpu ? ((info.valueSize + 7) & ~7) * this.possibleCpus : info.valueSize;
      shape = { keySize: info.keySize, lookupBytes };
      this.shapes.set(fd, shape);
    }
    return shape;
  }

  /** Runs a map command on an element; the length of key and value are checked, since Linux cannot see them. */
  private element(command: number, fd: number, key: Uint8Array, value: Uint8Array | undefined, flags: bigint): void {
    const shape = this.shape(fd);
    if (key.length < shape.keySize || (value && value.length < shape.lookupBytes)) throw new SysError('EFAULT');
    this.call(command, this.attr().setU32(0, fd).setPointer(8, key).setPointer(16, value).setU64(24, flags));
  }

  mapLookup(fd: number, key: Uint8Array, flags = 0n): Uint8Array {
    const value = new Uint8Array(this.shape(fd).lookupBytes);
    this.element(CMD.MAP_LOOKUP_ELEM, fd, key, value, flags);
    return value;
  }

  mapUpdate(fd: number, key: Uint8Array, value: Uint8Array, flags = 0n): void {
    this.element(CMD.MAP_UPDATE_ELEM, fd, key, value, flags);
  }

  mapDelete(fd: number, key: Uint8Array): void {
    this.element(CMD.MAP_DELETE_ELEM, fd, key, undefined, 0n);
  }

  mapLookupAndDelete(fd: number, key: Uint8Array, flags = 0n): Uint8Array {
    const value = new Uint8Array(this.shape(fd).lookupBytes);
    this.element(CMD.MAP_LOOKUP_AND_DELETE_ELEM, fd, key, value, flags);
    return value;
  }

  mapNextKey(fd: number, key: Uint8Array | undefined): Uint8Array {
    const shape = this.shape(fd);
    if (key && key.length < shape.keySize) throw new SysError('EFAULT');
    const next = new Uint8Array(shape.keySize);
    this.call(CMD.MAP_GET_NEXT_KEY, this.attr().setU32(0, fd).setPointer(8, key).setPointer(16, next));
    return next;
  }

  mapFreeze(fd: number): void {
    this.call(CMD.MAP_FREEZE, this.attr().setU32(0, fd));
  }

  progLoad(attr: ProgLoadAttr): number {
    this.symbols.forget();
    const log = new LogBuffer(attr.log);
    const fds = attr.fdArray && new Uint8Array(Int32Array.from(attr.fdArray).buffer);
    const block = this.attr()
      .setU32(0, attr.type)
      .setU32(4, attr.insns.length / 8)
      .setPointer(8, attr.insns)
      .setPointer(16, zeroTerminated(attr.license))
      .setU32(24, log.level)
      .setU32(28, log.bytes?.length)
      .setPointer(32, log.bytes)
      .setU32(40, attr.kernVersion)
      .setU32(44, attr.flags)
      .setName(48, attr.name)
      .setU32(64, attr.ifindex)
      .setU32(68, attr.expectedAttachType)
      .setU32(72, attr.btfFd)
      .setU32(108, attr.attachBtfId)
      .setU32(112, attr.attachProgFd || attr.attachBtfObjFd)
      .setPointer(120, fds)
      .setU32(144, attr.tokenFd);
    if (attr.fdArrayBinds) block.setU32(148, attr.fdArray?.length);
    if (attr.signature) {
      block.setPointer(152, attr.signature).setU32(160, attr.signature.length).setU32(164, attr.keyringId);
    }
    setRecords(block, attr.funcInfo, 76, 80, 88);
    setRecords(block, attr.lineInfo, 92, 96, 104);
    setRecords(block, attr.coreRelos, 136, 128, 116);
    try {
      return this.opened(this.call(CMD.PROG_LOAD, block));
    } finally {
      log.finish(block.u32(140));
    }
  }

  progBindMap(progFd: number, mapFd: number): void {
    this.call(CMD.PROG_BIND_MAP, this.attr().setU32(0, progFd).setU32(4, mapFd));
  }

  progRun(fd: number, attr: ProgRunAttr): number {
    const context = new Block(this.native, attr.context.length);
    context.bytes.set(attr.context);
    for (const buffer of attr.buffers ?? []) context.setPointer(buffer.at, buffer.bytes);
    const at = ATTR.PROG_TEST_RUN;
    const block = this.attr()
      .setU32(at.progFd, fd)
      .setU32(at.ctxSizeIn, context.bytes.length)
      .setPointer(at.ctxIn, context.bytes);
    const before = new Set(ownDescriptors());
    this.call(CMD.PROG_TEST_RUN, block);
    attr.context.set(context.bytes);
    // What the program opened belongs to this process.
    for (const fd of ownDescriptors()) if (!before.has(fd) && descriptorKind(fd)) this.open.add(fd);
    return block.u32(at.retval);
  }

  btfLoad(attr: BtfLoadAttr): number {
    const log = new LogBuffer(attr.log);
    const block = this.attr()
      .setPointer(0, attr.bytes)
      .setPointer(8, log.bytes)
      .setU32(16, attr.bytes.length)
      .setU32(20, log.bytes?.length)
      .setU32(24, log.level)
      .setU32(36, attr.tokenFd);
    try {
      return this.opened(this.call(CMD.BTF_LOAD, block));
    } finally {
      log.finish(block.u32(28));
    }
  }

  objPin(path: string, fd: number): void {
    this.call(CMD.OBJ_PIN, this.attr().setPointer(0, zeroTerminated(path)).setU32(8, fd));
  }

  objGet(path: string): { fd: number; kind: PinKind } {
    const fd = this.opened(this.call(CMD.OBJ_GET, this.attr().setPointer(0, zeroTerminated(path))));
    const kind = descriptorKind(fd);
    if (kind === undefined) {
      this.close(fd);
      throw new SysError('EINVAL', `${path} holds an object of unknown kind`);
    }
    return { fd, kind };
  }

  nextId(kind: ObjectKind, id: number): number {
    const block = this.attr().setU32(0, id);
    this.call(NEXT_ID[kind], block);
    return block.u32(4);
  }

  fdById(kind: ObjectKind, id: number): number {
    return this.opened(this.call(FD_BY_ID[kind], this.attr().setU32(0, id)));
  }

  progInfo(fd: number): ProgInfo {
    return progInfo(this.native, fd);
  }

  mapInfo(fd: number): MapInfo {
    return mapInfo(this.native, fd);
  }

  btfInfo(fd: number): BtfInfo {
    return btfInfo(this.native, fd);
  }

  linkInfo(fd: number): LinkInfo {
    return linkInfo(this.native, fd);
  }

  close(fd: number): void {
    if (!this.open.delete(fd)) throw new SysError('EBADF');
    this.shapes.delete(fd);
    this.native.close(fd);
  }

  closeAll(): void {
    for (const fd of [...this.open]) this.close(fd);
  }

  treeList(path: string): TreeEntry[] {
    return listFolder(path).map(({ name, folder }): TreeEntry => {
      if (folder) return { name, kind: 'dir' };
      try {
        const { fd, kind } = this.objGet(`${path}/${name}`);
        const id = Number(fdInfo(fd).get(ID_KEY[kind]));
        this.close(fd);
        return { name, kind, id };
      } catch (error) {
        // Files of iterators and the debug files are not pins.
        if (error instanceof SysError) return { name, kind: 'other' };
        throw error;
      }
    });
  }

  treeMkdir(path: string): void {
    makeFolder(path);
  }

  treeUnlink(path: string): void {
    removeEntry(path);
  }

  readFile(path: string): Uint8Array | undefined {
    return hostFile(path);
  }

  symbolAt(address: bigint): string | undefined {
    return this.symbols.at(address);
  }

  symbolAddress(name: string): bigint | undefined {
    return this.symbols.address(name);
  }

  bootTime(): bigint {
    const uptime = new TextDecoder().decode(hostFile('/proc/uptime') ?? new Uint8Array());
    const [seconds, fraction = ''] = (uptime.split(' ')[0] || '0').split('.');
    const sinceBoot = BigInt(seconds) * 1_000_000_000n + BigInt(fraction.padEnd(9, '0').slice(0, 9));
    return BigInt(Date.now()) * 1_000_000n - sinceBoot;
  }
}

/** The memory behind a LogRequest. */
class LogBuffer {
  readonly level: number;
  readonly bytes: Uint8Array | undefined;
  private readonly request: LogRequest | undefined;

  constructor(request: LogRequest | undefined) {
    this.request = request;
    this.level = request?.level ?? 0;
    this.bytes = request && request.size > 0 ? new Uint8Array(Math.min(request.size, MAX_LOG_BYTES + 1)) : undefined;
  }

  /** Copies what the kernel wrote to the request. */
  finish(trueSize: number): void {
    if (this.request === undefined) return;
    this.request.text = this.bytes ? cString(this.bytes) : '';
    this.request.trueSize = trueSize;
  }
}

function setRecords(
  block: Block,
  records: InfoRecords | undefined,
  sizeAt: number,
  pointerAt: number,
  countAt: number,
): void {
  if (records === undefined) return;
  block
    .setU32(sizeAt, records.recSize)
    .setPointer(pointerAt, records.bytes)
    .setU32(countAt, records.recSize > 0 ? records.bytes.length / records.recSize : 0);
}

/** Count of /sys/devices/system/cpu/possible, such as "0-3,8"; 1 when it cannot be read. */
function countCpus(): number {
  const text = new TextDecoder().decode(hostFile('/sys/devices/system/cpu/possible') ?? new Uint8Array());
  let count = 0;
  for (const range of text.trim().split(',')) {
    const [first, last = first] = range.split('-').map(Number);
    if (last >= first) count += last - first + 1;
  }
  return Math.max(count, 1);
}

/** Opens the running kernel; throws SysError ENOSYS where that is impossible. Privileges are asked for by each call. */
export const openLiveKernel = (): Kernel => new LiveKernel(nativeCalls());
