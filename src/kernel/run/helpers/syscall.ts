// Helpers of programs of type syscall: system calls from inside the kernel, and look-ups of types and symbols.
import { ERRNO, SysError } from '../../../errno.ts';
import { ATTR, COMMAND, NAME_BYTES } from '../../../isa/bpf-attr.ts';
import { INSN_BYTES, LDIMM64 } from '../../../isa/insn.ts';
import { CALL_KIND, PSEUDO } from '../../../isa/opcode.ts';
import { MAP_TYPE } from '../../../isa/uapi.ts';
import type { InfoRecords, Kernel, LogRequest, MapInfo } from '../../../syscall.ts';
import { round8 } from '../../maps/record.ts';
import type { HelperFn, Machine } from '../machine.ts';
import { RunFault } from '../memory.ts';
import type { HelperTable } from '../program.ts';
import { MEMORY_HELPERS } from './memory.ts';

/** The kernel as such programs reach it, with the descriptors of the process that runs them. */
export interface SystemCalls
  extends Pick<
    Kernel,
    | 'mapCreate'
    | 'mapUpdate'
    | 'mapDelete'
    | 'mapFreeze'
    | 'mapInfo'
    | 'fdById'
    | 'progLoad'
    | 'btfLoad'
    | 'close'
    | 'symbolAddress'
    | 'possibleCpus'
  > {}

/** Id of a type of the kernel's BTF; 0 where there is none. No module of the image has BTF. */
export type FindType = (name: string, kind: number) => number;

const PER_CPU: ReadonlySet<number> = new Set([
  MAP_TYPE.percpu_hash,
  MAP_TYPE.percpu_array,
  MAP_TYPE.lru_percpu_hash,
  MAP_TYPE.percpu_cgroup_storage,
]);

const MAX_LICENSE = 127;
const MAX_INSNS = 1_000_000;

const u32 = (value: bigint): number => Number(BigInt.asUintN(32, value));
const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

/** An attribute block in a program's memory; what lies behind its end is zero. */
class AttrView {
  private readonly m: Machine;
  private readonly address: bigint;
  private readonly size: number;

  constructor(m: Machine, address: bigint, size: number) {
    this.m = m;
    this.address = address;
    this.size = size;
  }

  private read(at: number, width: number): bigint {
    return at + width <= this.size ? this.m.memory.read(this.address + BigInt(at), width) : 0n;
  }

  u32(at: number): number {
    return Number(this.read(at, 4));
  }

  s32(at: number): number {
    return this.u32(at) | 0;
  }

  u64(at: number): bigint {
    return this.read(at, 8);
  }

  name(at: number): string {
    return at < this.size ? textOf(this.m.memory.cString(this.address + BigInt(at), NAME_BYTES)) : '';
  }

  /** A copy of the bytes that a field points to, which must be memory of the kernel. */
  bytes(at: number, size: number): Uint8Array {
    if (this.u64(at) < USER_END) throw new SysError('EFAULT');
    return Uint8Array.from(this.m.memory.bytesAt(this.u64(at), size));
  }

  /** Nothing may stand behind what the kernel knows of all commands, or of this one. rule: __sys_bpf, CHECK_ATTR */
  checkEnd(command: number): void {
    const { m, address, size } = this;
    if (size > PAGE_BYTES) throw new SysError('E2BIG');
    const isZero = (from: number, to: number): boolean =>
      from >= to || m.memory.bytesAt(address + BigInt(from), to - from).every((byte) => byte === 0);
    if (!isZero(ATTR_BYTES, size)) throw new SysError('E2BIG');
    if (!isZero(ENDS[command] ?? ATTR_BYTES, Math.min(size, ATTR_BYTES))) throw new SysError('EINVAL');
  }

  log(layout: { logLevel: number; logSize: number; logBuf: number }): LogRequest | undefined {
    const level = this.u32(layout.logLevel);
    const size = this.u32(layout.logSize);
    return level || size || this.u64(layout.logBuf) ? { level, size } : undefined;
  }
}

/** Runs a command that writes a log, and puts that where the caller wants it. */
function withLog(m: Machine, log: LogRequest | undefined, buffer: bigint, command: () => number): number {
  try {
    return command();
  } finally {
    if (log?.text !== undefined && log.size > 0 && buffer) {
      const bytes = Buffer.from(`${log.text}\0`);
      m.memory.bytesAt(buffer, Math.min(bytes.length, log.size), true).set(bytes.subarray(0, log.size));
    }
  }
}

function mapCreate(calls: SystemCalls, attr: AttrView): number {
  const at = ATTR.MAP_CREATE;
  return calls.mapCreate({
    type: attr.u32(at.mapType),
    keySize: attr.u32(at.keySize),
    valueSize: attr.u32(at.valueSize),
    maxEntries: attr.u32(at.maxEntries),
    flags: attr.u32(at.mapFlags),
    innerMapFd: attr.s32(at.innerMapFd),
    numaNode: attr.u32(at.numaNode),
    name: attr.name(at.mapName),
    ifindex: attr.u32(at.mapIfindex),
    btfFd: attr.s32(at.btfFd),
    btfKeyTypeId: attr.u32(at.btfKeyTypeId),
    btfValueTypeId: attr.u32(at.btfValueTypeId),
    btfVmlinuxValueTypeId: attr.u32(at.btfVmlinuxValueTypeId),
    mapExtra: attr.u64(at.mapExtra),
    valueTypeBtfObjFd: attr.s32(at.valueTypeBtfObjFd),
    tokenFd: attr.s32(at.mapTokenFd),
  });
}

/** As a change of the map sees it: not open at all, or open but no map. */
function shapeOf(calls: SystemCalls, fd: number): MapInfo {
  try {
    return calls.mapInfo(fd);
  } catch (error) {
    throw error instanceof SysError && error.errno === EBADFD ? new SysError('EBADF') : error;
  }
}
/** What questions about a descriptor give where it is not open. */
const EBADFD = 77;

function changeElement(calls: SystemCalls, attr: AttrView, remove: boolean): number {
  const at = ATTR.ELEMENT;
  const fd = attr.s32(at.mapFd);
  const info = shapeOf(calls, fd);
  const key = attr.bytes(at.key, info.keySize);
  if (remove) {
    calls.mapDelete(fd, key);
  } else {
    const size = PER_CPU.has(info.type) ? round8(info.valueSize) * calls.possibleCpus : info.valueSize;
    calls.mapUpdate(fd, key, attr.bytes(at.value, size), attr.u64(at.flags));
  }
  return 0;
}

function records(attr: AttrView, at: number, countAt: number, sizeAt: number): InfoRecords | undefined {
  const recSize = attr.u32(sizeAt);
  const count = attr.u32(countAt);
  return count ? { recSize, bytes: attr.bytes(at, recSize * count) } : undefined;
}

/** Entries of the table of descriptors that the instructions refer to. */
function descriptorsOf(m: Machine, table: bigint, insns: Uint8Array): number[] | undefined {
  if (!table) return undefined;
  const view = new DataView(insns.buffer, insns.byteOffset, insns.byteLength);
  let last = -1;
  for (let at = 0; at < insns.length; at += INSN_BYTES) {
    const src = insns[at + 1] >> 4;
    if (insns[at] === LDIMM64) {
      if (src === PSEUDO.MAP_IDX || src === PSEUDO.MAP_IDX_VALUE) last = Math.max(last, view.getInt32(at + 4, true));
      at += INSN_BYTES;
    } else if (insns[at] === CALL && src === CALL_KIND.KFUNC) {
      last = Math.max(last, view.getInt16(at + 2, true));
    }
  }
  const found: number[] = [];
  // What cannot be read is left out: whoever refers to it is told so.
  for (let i = 0; i <= last && m.memory.find(table + BigInt(i * 4), 4) !== undefined; i++) {
    found.push(Number(m.memory.read(table + BigInt(i * 4), 4)) | 0);
  }
  return found;
}
const CALL = 0x85;

function progLoad(m: Machine, calls: SystemCalls, attr: AttrView): number {
  const at = ATTR.PROG_LOAD;
  const count = attr.u32(at.insnCnt);
  if (count === 0 || count > MAX_INSNS) throw new SysError('E2BIG');
  const insns = attr.bytes(at.insns, count * INSN_BYTES);
  const log = attr.log(at);
  const request = {
    type: attr.u32(at.progType),
    insns,
    license: textOf(m.memory.cString(attr.u64(at.license), MAX_LICENSE)),
    kernVersion: attr.u32(at.kernVersion),
    flags: attr.u32(at.progFlags),
    name: attr.name(at.progName),
    ifindex: attr.u32(at.progIfindex),
    expectedAttachType: attr.u32(at.expectedAttachType),
    btfFd: attr.s32(at.progBtfFd),
    funcInfo: records(attr, at.funcInfo, at.funcInfoCnt, at.funcInfoRecSize),
    lineInfo: records(attr, at.lineInfo, at.lineInfoCnt, at.lineInfoRecSize),
    coreRelos: records(attr, at.coreRelos, at.coreReloCnt, at.coreReloRecSize),
    attachBtfId: attr.u32(at.attachBtfId),
    attachBtfObjFd: attr.s32(at.attachBtfObjFd),
    fdArray: descriptorsOf(m, attr.u64(at.fdArray), insns),
    tokenFd: attr.s32(at.progTokenFd),
    log,
  };
  return withLog(m, log, attr.u64(at.logBuf), () => calls.progLoad(given(request)));
}

/** Without the fields that have no value. */
const given = <T extends object>(all: T): { [K in keyof T]: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };

function btfLoad(m: Machine, calls: SystemCalls, attr: AttrView): number {
  const at = ATTR.BTF_LOAD;
  const bytes = attr.bytes(at.btf, attr.u32(at.btfSize));
  const log = attr.log(at);
  return withLog(m, log, attr.u64(at.logBuf), () => calls.btfLoad(given({ bytes, log })));
}

function command(m: Machine, calls: SystemCalls, number: number, attr: AttrView): number {
  if (ALLOWED.has(number)) attr.checkEnd(number);
  switch (number) {
    case COMMAND.MAP_CREATE:
      return mapCreate(calls, attr);
    case COMMAND.MAP_UPDATE_ELEM:
    case COMMAND.MAP_DELETE_ELEM:
      return changeElement(calls, attr, number === COMMAND.MAP_DELETE_ELEM);
    case COMMAND.MAP_FREEZE:
      calls.mapFreeze(attr.s32(ATTR.ELEMENT.mapFd));
      return 0;
    case COMMAND.MAP_GET_FD_BY_ID:
      return calls.fdById('map', attr.u32(0));
    case COMMAND.PROG_LOAD:
      return progLoad(m, calls, attr);
    case COMMAND.BTF_LOAD:
      return btfLoad(m, calls, attr);
    // Linux lets LINK_CREATE and RAW_TRACEPOINT_OPEN through; loader programs have no use for them.
    default:
      throw new SysError('EINVAL');
  }
}

/** Bytes of `union bpf_attr`, and those that a command uses. */
const ATTR_BYTES = 168;
const PAGE_BYTES = 4096;
const ENDS: Readonly<Record<number, number>> = {
  [COMMAND.MAP_CREATE]: 92,
  [COMMAND.MAP_UPDATE_ELEM]: 32,
  [COMMAND.MAP_DELETE_ELEM]: 16,
  [COMMAND.MAP_FREEZE]: 4,
  [COMMAND.MAP_GET_FD_BY_ID]: 12,
  [COMMAND.PROG_LOAD]: 168,
  [COMMAND.BTF_LOAD]: 40,
};
const ALLOWED: ReadonlySet<number> = new Set(Object.keys(ENDS).map(Number));

/** `work`, or the negative errno where a call fails or reads what is not there. */
function answered(work: () => number): bigint {
  try {
    return BigInt(work());
  } catch (error) {
    if (error instanceof SysError) return BigInt(-error.errno);
    if (error instanceof RunFault) return BigInt(-ERRNO.EFAULT);
    throw error;
  }
}

/** A string argument with its NUL as the last byte; undefined for others. */
function argument(m: Machine, address: bigint, size: number): string | undefined {
  const bytes = m.memory.bytesAt(address, size);
  return size > 1 && bytes[size - 1] === 0 ? textOf(m.memory.cString(address, size)) : undefined;
}

/** User space ends here. */
const USER_END = 1n << 47n;

/** Rule of memory that is read: as of any other, but for what belongs to the kernel. */
const copyFromUser: HelperFn = (m, r1, r2, r3, r4, r5) =>
  MEMORY_HELPERS.copy_from_user?.(m, r1, r2, r3 < USER_END ? r3 : 0n, r4, r5) ?? 0n;

/** The helpers over a kernel. rules: bpf_sys_bpf, bpf_sys_close, bpf_btf_find_by_name_kind, bpf_kallsyms_lookup_name, 6.18 */
export function syscallHelpers(calls: SystemCalls, findType: FindType): HelperTable {
  return {
    sys_bpf: (m, r1, r2, r3) => answered(() => command(m, calls, u32(r1), new AttrView(m, r2, u32(r3)))),
    sys_close: (_, r1) =>
      answered(() => {
        calls.close(u32(r1) | 0);
        return 0;
      }),
    btf_find_by_name_kind: (m, r1, r2, r3, r4) =>
      answered(() => {
        const name = argument(m, r1, u32(r2));
        if (u32(r4) !== 0 || name === undefined) throw new SysError('EINVAL');
        return findType(name, u32(r3)) || -ERRNO.ENOENT;
      }),
    kallsyms_lookup_name: (m, r1, r2, r3, r4) =>
      answered(() => {
        const name = argument(m, r1, u32(r2));
        if (u32(r3) !== 0 || name === undefined) throw new SysError('EINVAL');
        const address = calls.symbolAddress(name) ?? 0n;
        m.memory.write(r4, 8, address);
        return address ? 0 : -ERRNO.ENOENT;
      }),
    copy_from_user: copyFromUser,
  };
}
