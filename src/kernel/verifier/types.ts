// The state model of the verifier: what is known of registers, stack slots, frames and paths, and what is recorded of
// each instruction. Names follow the kernel's own.
import type { Btf } from '../../btf/btf.ts';
import type { KMap, SpecialRecord } from '../objects.ts';

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

/** Register state. 64-bit bounds are bigint (s: signed, u: unsigned), 32-bit bounds are plain numbers. */
export class RegState {
  type: number = REG.NOT_INIT;
  /** Fixed part of a pointer's offset, or the distance between linked scalars. Signed 32-bit. */
  off = 0;
  // The kernel keeps the next ones in a union; which is valid follows from `type` or the slot type.
  /** Packet pointers: bytes known to be there; negative for "at/beyond packet end". */
  range = 0;
  map: KMap | undefined = undefined;
  mapUid = 0;
  /** BTF pointers, and the type of an iterator in a slot. */
  btf: Btf | undefined = undefined;
  btfId = 0;
  memSize = 0;
  dynptrId = 0;
  dynptrType = 0;
  dynptrFirstSlot = false;
  iterState = 0;
  iterDepth = 0;
  irqClass = 0;
  subprogno = 0;
  varOff: Tnum = TNUM_ZERO;
  smin = 0n;
  smax = 0n;
  umin = 0n;
  umax = 0n;
  s32min = 0;
  s32max = 0;
  u32min = 0;
  u32max = 0;
  id = 0;
  refObjId = 0;
  frameno = 0;
  /** Index + 1 of the instruction that last defined the low half; 0 for none (DEF_NOT_SUBREG). */
  subregDef = 0;
  precise = false;

  /** Becomes a copy of `from`. */
  copy(from: RegState): void {
    this.type = from.type;
    this.off = from.off;
    this.copyUnion(from);
    this.varOff = from.varOff;
    this.smin = from.smin;
    this.smax = from.smax;
    this.umin = from.umin;
    this.umax = from.umax;
    this.s32min = from.s32min;
    this.s32max = from.s32max;
    this.u32min = from.u32min;
    this.u32max = from.u32max;
    this.id = from.id;
    this.refObjId = from.refObjId;
    this.frameno = from.frameno;
    this.subregDef = from.subregDef;
    this.precise = from.precise;
  }

  /** Takes over only what the kernel keeps in the union. */
  copyUnion(from: RegState): void {
    this.range = from.range;
    this.map = from.map;
    this.mapUid = from.mapUid;
    this.btf = from.btf;
    this.btfId = from.btfId;
    this.memSize = from.memSize;
    this.dynptrId = from.dynptrId;
    this.dynptrType = from.dynptrType;
    this.dynptrFirstSlot = from.dynptrFirstSlot;
    this.iterState = from.iterState;
    this.iterDepth = from.iterDepth;
    this.irqClass = from.irqClass;
    this.subprogno = from.subprogno;
  }

  clearUnion(): void {
    this.copyUnion(NO_REG);
  }

  clone(): RegState {
    const reg = new RegState();
    reg.copy(this);
    return reg;
  }
}

/** All zero: NOT_INIT. Read only. */
export const NO_REG: RegState = new RegState();

/** Kinds of stack bytes (`enum bpf_stack_slot_type`). */
export const SLOT = { INVALID: 0, SPILL: 1, MISC: 2, ZERO: 3, DYNPTR: 4, ITER: 5, IRQ_FLAG: 6 } as const;

/** Eight bytes of stack: types[i] is the byte at fp-8*(slot+1)+7-i, so types[0] has the highest address, as in the kernel. */
export class StackSlot {
  spilled: RegState;
  types: Uint8Array = new Uint8Array(8);

  constructor(spilled: RegState = new RegState()) {
    this.spilled = spilled;
  }

  /** Where nothing is spilled the copy has `idle`, if given. */
  clone(idle?: RegState): StackSlot {
    const kind = this.types[7];
    const plain = kind !== SLOT.SPILL && kind < SLOT.DYNPTR;
    const slot = new StackSlot(plain && idle !== undefined ? idle : this.spilled.clone());
    slot.types.set(this.types);
    return slot;
  }
}

export const MAX_REGS = 11;
export const MAX_CALL_FRAMES = 8;
export const MAX_STACK = 512;
export const FP = 10;

export interface RetvalRange {
  min: number;
  max: number;
}

function freshRegs(): RegState[] {
  const regs: RegState[] = [];
  for (let i = 0; i < MAX_REGS; i++) regs.push(new RegState());
  return regs;
}

export class FuncState {
  regs: RegState[];
  /** Index of the call instruction; -1 in the main program. */
  callsite: number;
  frameno: number;
  subprogno: number;
  asyncEntryCnt = 0;
  callbackRetRange: RetvalRange = { min: 0, max: 0 };
  inCallbackFn = false;
  inAsyncCallbackFn = false;
  inExceptionCallbackFn = false;
  callbackDepth = 0;
  /** stack[i] describes fp-8*(i+1); its length × 8 is the kernel's allocated_stack. */
  stack: StackSlot[] = [];

  constructor(callsite: number, frameno: number, subprogno: number, regs: RegState[] = freshRegs()) {
    this.callsite = callsite;
    this.frameno = frameno;
    this.subprogno = subprogno;
    this.regs = regs;
  }

  get allocatedStack(): number {
    return this.stack.length * 8;
  }

  /**
   * With `idle`, the copy is for comparing only: it shares the frame pointer, and has `idle` for what is not
   * initialised.
   */
  clone(idle?: RegState): FuncState {
    const regs: RegState[] = [];
    for (const reg of this.regs) {
      if (idle === undefined) regs.push(reg.clone());
      else if (regs.length === FP) regs.push(reg);
      else regs.push(reg.type === REG.NOT_INIT ? idle : reg.clone());
    }
    const f = new FuncState(this.callsite, this.frameno, this.subprogno, regs);
    f.asyncEntryCnt = this.asyncEntryCnt;
    f.callbackRetRange = this.callbackRetRange;
    f.inCallbackFn = this.inCallbackFn;
    f.inAsyncCallbackFn = this.inAsyncCallbackFn;
    f.inExceptionCallbackFn = this.inExceptionCallbackFn;
    f.callbackDepth = this.callbackDepth;
    for (const slot of this.stack) f.stack.push(slot.clone(idle));
    return f;
  }
}

/** Kinds of held references (`enum ref_state_type`). */
export const REF = { PTR: 2, IRQ: 4, LOCK: 8, RES_LOCK: 16, RES_LOCK_IRQ: 32, LOCK_MASK: 56 } as const;

export interface RefState {
  readonly type: number;
  readonly id: number;
  readonly insnIdx: number;
  /** Locks: the map or BTF object that holds the lock, compared by identity. */
  readonly ptr: unknown;
}

/** Bits of a history entry's flags (`INSN_F_…`). */
export const HISTORY_FLAG = {
  FRAMENO_MASK: 0x7,
  SPI_MASK: 0x3f,
  SPI_SHIFT: 3,
  STACK_ACCESS: 1 << 9,
  DST_REG_STACK: 1 << 10,
  SRC_REG_STACK: 1 << 11,
} as const;

/** A register or spilled slot that shares a scalar id with the one that a jump compared. */
export interface LinkedReg {
  frameno: number;
  isReg: boolean;
  /** Register number, or slot index. */
  regno: number;
}

export interface HistoryEntry {
  idx: number;
  prevIdx: number;
  flags: number;
  linked: readonly LinkedReg[];
}

/** A state kept for pruning (`struct bpf_verifier_state_list`), in the list of its bucket. */
export interface KeptState {
  readonly state: VerifierState;
  missCnt: number;
  hitCnt: number;
  /** Out of its bucket, but other states still have it as their parent. */
  inFreeList: boolean;
  next: KeptState | undefined;
}

export class VerifierState {
  frame: FuncState[] = [];
  /** The checkpoint that this path came from last. */
  parent: VerifierState | undefined = undefined;
  /** Of a checkpoint: its place in the bucket. */
  kept: KeptState | undefined = undefined;
  refs: RefState[] = [];
  branches = 0;
  insnIdx = 0;
  curframe = 0;
  activeLocks = 0;
  activePreemptLocks = 0;
  activeIrqId = 0;
  activeLockId = 0;
  activeLockPtr: unknown = undefined;
  activeRcuLock = false;
  speculative = false;
  inSleepable = false;
  cleaned = false;
  firstInsnIdx = 0;
  lastInsnIdx = 0;
  equalState: VerifierState | undefined = undefined;
  history: HistoryEntry[] = [];
  dfsDepth = 0;
  callbackUnrollDepth = 0;
  mayGotoDepth = 0;

  get cur(): FuncState {
    return this.frame[this.curframe];
  }
}

/** Where a map lookup helper's map is known at a call: one map on all paths, or several (poison). */
export interface MapPtrState {
  map: KMap | undefined;
  poison: boolean;
  unpriv: boolean;
}

export interface LoopInlineState {
  fitForInline: boolean;
  callbackSubprogno: number;
}

/** What the verifier notes of one instruction for later passes (`struct bpf_insn_aux_data`). */
export class InsnAux {
  /** Loads and stores: pointer type seen there; NOT_INIT while none. */
  ptrType: number = REG.NOT_INIT;
  mapPtrState: MapPtrState | undefined = undefined;
  callImm = 0;
  aluLimit = 0;
  /** ldimm64 of a map or map value: index into usedMaps, and offset in the value area. */
  mapIndex = 0;
  mapOff = 0;
  btfVar: { regType: number; btf: Btf | undefined; btfId: number; memSize: number } | undefined = undefined;
  loopInline: LoopInlineState | undefined = undefined;
  objNewSize = 0;
  insertOff = 0;
  kptrStructMeta: { btf: Btf; btfId: number; record: SpecialRecord } | undefined = undefined;
  /** Constant key of a map helper: the kernel's bit layout, see map_key_state. */
  mapKeyState = 0n;
  ctxFieldSize = 0;
  /** Pass in which the instruction was seen; 0: never. */
  seen = 0;
  nospec = false;
  nospecResult = false;
  zextDst = false;
  needsZext = false;
  storageGetFuncAtomic = false;
  isIterNext = false;
  callWithPercpuAllocPtr = false;
  aluState = 0;
  fastcallPattern = false;
  fastcallSpillsNum = 0;
  argProg = 0;
  origIdx = 0;
  jmpPoint = false;
  prunePoint = false;
  forceCheckpoint = false;
  callsCallback = false;
  scc = 0;
  liveRegsBefore = 0;
}

/** Argument of a global function as its BTF prototype declares it. */
export interface SubprogArg {
  /** `enum bpf_arg_type` value with flags, see ARG in helper-proto.ts. */
  argType: number;
  memSize: number;
  btfId: number;
}

export const PRIV_STACK = { UNKNOWN: 0, NO: 1, ADAPTIVE: 2 } as const;

export class SubprogInfo {
  start: number;
  linfoIdx = 0;
  postorderStart = 0;
  stackDepth = 0;
  stackExtra = 0;
  fastcallStackOff = 0;
  hasTailCall = false;
  tailCallReachable = false;
  hasLdAbs = false;
  isCb = false;
  isAsyncCb = false;
  isExceptionCb = false;
  argsCached = false;
  keepFastcallStack = false;
  changesPktData = false;
  mightSleep = false;
  privStackMode: number = PRIV_STACK.UNKNOWN;
  args: SubprogArg[] = [];
  /** func_info_aux: linkage of the BTF function; true for global ones. */
  globalLinkage = false;
  /** func_info_aux.unreliable: prototype and code disagree. */
  unreliable = false;
  /** func_info_aux.called and .verified, for global functions. */
  called = false;
  verified = false;

  constructor(start: number) {
    this.start = start;
  }
}
