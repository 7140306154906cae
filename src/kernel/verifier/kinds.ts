// Kinds of registers and stack bytes, the numbers of the model, and tristate numbers. Names follow the kernel's own.

/** Base types of a register (`enum bpf_reg_type`). */
export const REG = {
  NOT_INIT: 0,
  SCALAR: 1,
  CTX: 2,
  CONST_MAP_PTR: 3,
  MAP_VALUE: 4,
  MAP_KEY: 5,
  STACK: 6,
  PACKET_META: 7,
  PACKET: 8,
  PACKET_END: 9,
  FLOW_KEYS: 10,
  SOCKET: 11,
  SOCK_COMMON: 12,
  TCP_SOCK: 13,
  TP_BUFFER: 14,
  XDP_SOCK: 15,
  BTF_ID: 16,
  MEM: 17,
  ARENA: 18,
  BUF: 19,
  FUNC: 20,
  CONST_DYNPTR: 21,
} as const;

/** Bits of a type above its base (`enum bpf_type_flag`). */
export const BASE_TYPE_BITS = 8;
export const BASE_TYPE_MASK = (1 << BASE_TYPE_BITS) - 1;
const flag = (n: number): number => 1 << (BASE_TYPE_BITS + n);
export const FLAG = {
  MAYBE_NULL: flag(0),
  RDONLY: flag(1),
  RINGBUF: flag(2),
  USER: flag(3),
  PERCPU: flag(4),
  RELEASE: flag(5),
  UNTRUSTED: flag(6),
  UNINIT: flag(7),
  DYNPTR_LOCAL: flag(8),
  DYNPTR_RINGBUF: flag(9),
  FIXED_SIZE: flag(10),
  ALLOC: flag(11),
  TRUSTED: flag(12),
  RCU: flag(13),
  NON_OWN_REF: flag(14),
  DYNPTR_SKB: flag(15),
  DYNPTR_XDP: flag(16),
  ALIGNED: flag(17),
  WRITE: flag(18),
  DYNPTR_SKB_META: flag(19),
} as const;

export const baseType = (type: number): number => type & BASE_TYPE_MASK;
export const typeFlags = (type: number): number => type & ~BASE_TYPE_MASK;
export const mayBeNull = (type: number): boolean => (type & FLAG.MAYBE_NULL) !== 0;

/** Known bits: where `mask` is 0 the bit equals that of `value`. Values are unsigned 64-bit; never changed in place. */
export interface Tnum {
  readonly value: bigint;
  readonly mask: bigint;
}

export const S64_MIN = -0x8000000000000000n;
export const S64_MAX = 0x7fffffffffffffffn;
export const U64_MAX = 0xffffffffffffffffn;
export const S32_MIN = -0x80000000;
export const S32_MAX = 0x7fffffff;
export const U32_MAX = 0xffffffff;
export const TNUM_UNKNOWN: Tnum = Object.freeze({ value: 0n, mask: U64_MAX });
export const TNUM_ZERO: Tnum = Object.freeze({ value: 0n, mask: 0n });

/** Flags in the top bits of a scalar's id: it differs by `off` from the others of that id. Ids are unsigned 32-bit. */
export const ADD_CONST64 = 0x80000000;
export const ADD_CONST32 = 0x40000000;
export const ADD_CONST_MASK = 0xc0000000;
/** The id without those flags. */
export const plainId = (id: number): number => id & 0x3fffffff;

export const ITER_STATE = { INVALID: 0, ACTIVE: 1, DRAINED: 2 } as const;
export const DYNPTR = { INVALID: 0, LOCAL: 1, RINGBUF: 2, SKB: 3, XDP: 4, SKB_META: 5 } as const;
export const IRQ_CLASS = { NATIVE: 0, LOCK: 1 } as const;

/** Kinds of stack bytes (`enum bpf_stack_slot_type`). */
export const SLOT = { INVALID: 0, SPILL: 1, MISC: 2, ZERO: 3, DYNPTR: 4, ITER: 5, IRQ_FLAG: 6 } as const;

export const MAX_REGS = 11;
export const MAX_CALL_FRAMES = 8;
export const MAX_STACK = 512;
export const FP = 10;
