// The raw bpf(2) system call of the running Linux, and the attribute blocks that it takes.
import { createRequire } from 'node:module';
import { SysError } from '../errno.ts';

/** Bytes of `union bpf_attr` that are filled here: up to and with keyring_id. Linux takes the rest as zero. */
export const ATTR_BYTES = 168;
/** __NR_bpf on x86-64. */
const NR_BPF = 321;
/** Arguments of mmap(2). */
const PROT_READ = 1;
const PROT_WRITE = 2;
const MAP_SHARED = 1;
const MAP_FIXED = 0x10;

/** Command numbers (`enum bpf_cmd`). */
export const CMD = {
  MAP_CREATE: 0,
  MAP_LOOKUP_ELEM: 1,
  MAP_UPDATE_ELEM: 2,
  MAP_DELETE_ELEM: 3,
  MAP_GET_NEXT_KEY: 4,
  PROG_LOAD: 5,
  OBJ_PIN: 6,
  OBJ_GET: 7,
  PROG_TEST_RUN: 10,
  PROG_GET_NEXT_ID: 11,
  MAP_GET_NEXT_ID: 12,
  PROG_GET_FD_BY_ID: 13,
  MAP_GET_FD_BY_ID: 14,
  OBJ_GET_INFO_BY_FD: 15,
  BTF_LOAD: 18,
  BTF_GET_FD_BY_ID: 19,
  MAP_LOOKUP_AND_DELETE_ELEM: 21,
  MAP_FREEZE: 22,
  BTF_GET_NEXT_ID: 23,
  LINK_GET_FD_BY_ID: 30,
  LINK_GET_NEXT_ID: 31,
  PROG_BIND_MAP: 35,
} as const;

/** Calls of the C library that the live kernel needs. */
export interface NativeCalls {
  /** bpf(2); gives its result, throws SysError. */
  bpf(command: number, attr: Uint8Array): number;
  /** close(2); errors are ignored. */
  close(fd: number): void;
  /** Maps `bytes` of a descriptor into memory, shared and writable, at `address` or anywhere when that is 0. */
  mmap(fd: number, bytes: bigint, address: bigint): void;
  /** Address of the first byte; the array must stay referenced until the call is over. */
  address(bytes: Uint8Array): bigint;
}

/** Loads the foreign function interface; throws SysError ENOSYS where there is none or the system is not x86-64 Linux. */
export function nativeCalls(): NativeCalls {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new SysError('ENOSYS', 'the live kernel needs Linux on x86-64');
  }
  let koffi: typeof import('koffi');
  try {
    koffi = createRequire(import.meta.url)('koffi');
  } catch {
    throw new SysError('ENOSYS', "the live kernel needs the optional package 'koffi'");
  }
  const libc = koffi.load(null);
  const syscall = libc.func('long syscall(long nr, int cmd, void *attr, unsigned int size)');
  const close = libc.func('int close(int fd)');
  const mmap = libc.func('intptr_t mmap(intptr_t addr, size_t length, int prot, int flags, int fd, intptr_t offset)');
  return {
    bpf(command, attr) {
      const result = Number(syscall(NR_BPF, command, attr, attr.length));
      if (result < 0) throw new SysError(koffi.errno());
      return result;
    },
    close(fd) {
      close(fd);
    },
    mmap(fd, bytes, address) {
      const flags = MAP_SHARED | (address ? MAP_FIXED : 0);
      if (Number(mmap(address, bytes, PROT_READ | PROT_WRITE, flags, fd, 0)) === -1) throw new SysError(koffi.errno());
    },
    address: (bytes) => BigInt(koffi.address(bytes)),
  };
}

/** A block of memory with little-endian fields at fixed offsets; remembers the buffers that it points to. */
export class Block {
  readonly bytes: Uint8Array;
  private readonly view: DataView;
  private readonly native: NativeCalls;
  /** Keeps buffers alive for as long as the block. */
  private readonly kept: Uint8Array[] = [];

  constructor(native: NativeCalls, size: number = ATTR_BYTES) {
    this.native = native;
    this.bytes = new Uint8Array(size);
    this.view = new DataView(this.bytes.buffer);
  }

  setU32(at: number, value: number | undefined): this {
    if (value) this.view.setUint32(at, value >>> 0, true);
    return this;
  }

  setU64(at: number, value: bigint | undefined): this {
    if (value) this.view.setBigUint64(at, BigInt.asUintN(64, value), true);
    return this;
  }

  /** Stores the address of `target`; nothing where it is undefined or empty. */
  setPointer(at: number, target: Uint8Array | undefined): this {
    if (target === undefined || target.length === 0) return this;
    this.kept.push(target);
    return this.setU64(at, this.native.address(target));
  }

  /** At most 15 bytes and a NUL, as BPF_OBJ_NAME_LEN says. */
  setName(at: number, name: string | undefined): this {
    if (name) this.bytes.set(new TextEncoder().encode(name).subarray(0, 15), at);
    return this;
  }

  u32(at: number): number {
    return this.view.getUint32(at, true);
  }

  i32(at: number): number {
    return this.view.getInt32(at, true);
  }

  u64(at: number): bigint {
    return this.view.getBigUint64(at, true);
  }

  /** NUL-terminated text of at most `size` bytes. */
  text(at: number, size: number): string {
    return cString(this.bytes.subarray(at, at + size));
  }
}

/** Text up to the first NUL, or all of it. */
export function cString(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
}

/** The same with a NUL at the end, as system calls take it. */
export const zeroTerminated = (text: string): Uint8Array => new TextEncoder().encode(`${text}\0`);
