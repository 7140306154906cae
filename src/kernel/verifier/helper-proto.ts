// What a helper function demands of its arguments and gives back: the vocabulary of the tables in src/kernel/helpers
// (`enum bpf_arg_type`, `enum bpf_return_type`, `struct bpf_func_proto`).
import { FLAG } from './types.ts';

/** Base types of an argument; the flags above BASE_TYPE_BITS are those of FLAG. */
export const ARG = {
  DONTCARE: 0,
  CONST_MAP_PTR: 1,
  MAP_KEY: 2,
  MAP_VALUE: 3,
  MEM: 4,
  ARENA: 5,
  CONST_SIZE: 6,
  CONST_SIZE_OR_ZERO: 7,
  CTX: 8,
  ANYTHING: 9,
  SPIN_LOCK: 10,
  SOCK_COMMON: 11,
  SOCKET: 12,
  BTF_ID: 13,
  RINGBUF_MEM: 14,
  CONST_ALLOC_SIZE_OR_ZERO: 15,
  BTF_ID_SOCK_COMMON: 16,
  PERCPU_BTF_ID: 17,
  FUNC: 18,
  STACK: 19,
  CONST_STR: 20,
  TIMER: 21,
  KPTR_XCHG_DEST: 22,
  DYNPTR: 23,
} as const;

/** Base types of a return value. */
export const RET = {
  INTEGER: 0,
  VOID: 1,
  MAP_VALUE: 2,
  SOCKET: 3,
  TCP_SOCK: 4,
  SOCK_COMMON: 5,
  MEM: 6,
  MEM_OR_BTF_ID: 7,
  BTF_ID: 8,
} as const;

/** The flags that tell dynptrs apart (DYNPTR_TYPE_FLAG_MASK). */
export const DYNPTR_FLAG_MASK =
  FLAG.DYNPTR_LOCAL | FLAG.DYNPTR_RINGBUF | FLAG.DYNPTR_SKB | FLAG.DYNPTR_XDP | FLAG.DYNPTR_SKB_META;

/** One argument. `btf` names the kernel struct that a BTF pointer must lead to; `size` is that of fixed-size memory. */
export interface HelperArg {
  readonly type: number;
  readonly btf?: string;
  readonly size?: number;
}

export interface HelperReturn {
  readonly type: number;
  /** Kernel struct that a returned BTF pointer leads to; absent where the call itself decides. */
  readonly btf?: string;
}

/** Conditions on the program beyond its type (`allowed` of the kernel's prototype). */
export type HelperCondition = 'd-path' | 'sleepable-lsm-hook' | 'sk-storage-tracing';

/** A row of a helper table. */
export interface ProtoRow {
  readonly ret: HelperReturn;
  readonly args: readonly HelperArg[];
  /** Only for programs with a GPL-compatible licence. */
  readonly gpl?: boolean;
  /** May be handed pointers into the packet. */
  readonly packet?: boolean;
  readonly sleeps?: boolean;
  /** Keeps R1–R5 in programs that follow the fastcall pattern. */
  readonly fastcall?: boolean;
  readonly allowed?: HelperCondition;
  /** Kernel function that is called, where it is not `bpf_` and the row's key. */
  readonly symbol?: string;
}

export type ProtoTable = Readonly<Record<string, ProtoRow>>;

/** A row with its name. */
export interface HelperProto extends ProtoRow {
  /** Key of the row: the helper's name or a variant of it. */
  readonly name: string;
  readonly symbol: string;
}

const arg = (type: number): HelperArg => ({ type });

/** Arguments that need no parameter. */
export const A = {
  any: arg(ARG.ANYTHING),
  ctx: arg(ARG.CTX),
  ctxOrNull: arg(ARG.CTX | FLAG.MAYBE_NULL),
  map: arg(ARG.CONST_MAP_PTR),
  key: arg(ARG.MAP_KEY),
  value: arg(ARG.MAP_VALUE),
  valueOrNull: arg(ARG.MAP_VALUE | FLAG.MAYBE_NULL),
  valueOut: arg(ARG.MAP_VALUE | FLAG.UNINIT | FLAG.WRITE),
  /** Memory that is read; `size` or `sizeOrZero` follows. */
  mem: arg(ARG.MEM | FLAG.RDONLY),
  memOrNull: arg(ARG.MEM | FLAG.MAYBE_NULL | FLAG.RDONLY),
  /** Memory that is read and written. */
  memWrite: arg(ARG.MEM | FLAG.WRITE),
  memWriteOrNull: arg(ARG.MEM | FLAG.MAYBE_NULL | FLAG.WRITE),
  /** Memory that is only written, so it may be uninitialised stack. */
  out: arg(ARG.MEM | FLAG.UNINIT | FLAG.WRITE),
  size: arg(ARG.CONST_SIZE),
  sizeOrZero: arg(ARG.CONST_SIZE_OR_ZERO),
  allocSize: arg(ARG.CONST_ALLOC_SIZE_OR_ZERO),
  sockCommon: arg(ARG.SOCK_COMMON),
  socketOrNull: arg(ARG.SOCKET | FLAG.MAYBE_NULL),
  btfSockCommon: arg(ARG.BTF_ID_SOCK_COMMON),
  btfSockCommonOrNull: arg(ARG.BTF_ID_SOCK_COMMON | FLAG.MAYBE_NULL),
  releaseSock: arg(ARG.BTF_ID_SOCK_COMMON | FLAG.RELEASE),
  releaseRingbuf: arg(ARG.RINGBUF_MEM | FLAG.RELEASE),
  releaseRingbufDynptr: arg(ARG.DYNPTR | FLAG.DYNPTR_RINGBUF | FLAG.RELEASE),
  newRingbufDynptr: arg(ARG.DYNPTR | FLAG.DYNPTR_RINGBUF | FLAG.UNINIT | FLAG.WRITE),
  newLocalDynptr: arg(ARG.DYNPTR | FLAG.DYNPTR_LOCAL | FLAG.UNINIT | FLAG.WRITE),
  dynptr: arg(ARG.DYNPTR | FLAG.RDONLY),
  percpuBtf: arg(ARG.PERCPU_BTF_ID),
  func: arg(ARG.FUNC),
  stackOrNull: arg(ARG.STACK | FLAG.MAYBE_NULL),
  constStr: arg(ARG.CONST_STR),
  spinLock: arg(ARG.SPIN_LOCK),
  timer: arg(ARG.TIMER),
  kptrDest: arg(ARG.KPTR_XCHG_DEST),
  /** The struct is that of the kptr in the first argument. */
  kptrToPut: arg(ARG.BTF_ID | FLAG.MAYBE_NULL | FLAG.RELEASE),
} as const;

/** Pointer to a kernel struct. */
export const btf = (name: string): HelperArg => ({ type: ARG.BTF_ID, btf: name });
export const btfOrNull = (name: string): HelperArg => ({ type: ARG.BTF_ID | FLAG.MAYBE_NULL, btf: name });
/** Memory of a size that the prototype fixes, in bytes: read, read and written, only written. */
export const fixedIn = (size: number): HelperArg => ({ type: ARG.MEM | FLAG.FIXED_SIZE | FLAG.RDONLY, size });
export const fixedInOut = (size: number): HelperArg => ({
  type: ARG.MEM | FLAG.FIXED_SIZE | FLAG.WRITE | FLAG.ALIGNED,
  size,
});
export const fixedOut = (size: number): HelperArg => ({
  type: ARG.MEM | FLAG.FIXED_SIZE | FLAG.UNINIT | FLAG.WRITE | FLAG.ALIGNED,
  size,
});

/** Bytes of headers as they are on the wire. */
export const WIRE = { iphdr: 20, ipv6hdr: 40, tcphdr: 20 } as const;

const ret = (type: number): HelperReturn => ({ type });

/** Return values that need no parameter. */
export const R = {
  int: ret(RET.INTEGER),
  void: ret(RET.VOID),
  value: ret(RET.MAP_VALUE),
  valueOrNull: ret(RET.MAP_VALUE | FLAG.MAYBE_NULL),
  socketOrNull: ret(RET.SOCKET | FLAG.MAYBE_NULL),
  sockCommonOrNull: ret(RET.SOCK_COMMON | FLAG.MAYBE_NULL),
  tcpSockOrNull: ret(RET.TCP_SOCK | FLAG.MAYBE_NULL),
  ringbufMemOrNull: ret(RET.MEM | FLAG.RINGBUF | FLAG.MAYBE_NULL),
  memOrNull: ret(RET.MEM | FLAG.MAYBE_NULL),
  percpu: ret(RET.MEM_OR_BTF_ID | FLAG.RDONLY),
  percpuOrNull: ret(RET.MEM_OR_BTF_ID | FLAG.RDONLY | FLAG.MAYBE_NULL),
  kptrOrNull: ret(RET.BTF_ID | FLAG.MAYBE_NULL),
} as const;

export const btfRet = (name: string): HelperReturn => ({ type: RET.BTF_ID, btf: name });
export const btfOrNullRet = (name: string): HelperReturn => ({ type: RET.BTF_ID | FLAG.MAYBE_NULL, btf: name });
export const trustedRet = (name: string): HelperReturn => ({ type: RET.BTF_ID | FLAG.TRUSTED, btf: name });
