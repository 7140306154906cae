// The state model of the verifier: what is known of registers, stack slots, frames and paths, and what is recorded of
// each instruction. Names follow the kernel's own.
import type { Btf } from '../../btf/btf.ts';
import type { KMap } from '../objects.ts';

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
  /** States that are not being walked share it: nobody may write to it. */
  frozen = false;
  /** Of a register being walked: its last frozen copy. Of a frozen one: the same, but precise. */
  twin: RegState | undefined = undefined;

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

  /** Nothing tells the two apart. */
  equals(other: RegState): boolean {
    return (
      this.type === other.type &&
      this.off === other.off &&
      this.varOff === other.varOff &&
      this.id === other.id &&
      this.u32min === other.u32min &&
      this.u32max === other.u32max &&
      this.s32min === other.s32min &&
      this.s32max === other.s32max &&
      this.subregDef === other.subregDef &&
      this.precise === other.precise &&
      this.frameno === other.frameno &&
      this.refObjId === other.refObjId &&
      this.umin === other.umin &&
      this.umax === other.umax &&
      this.smin === other.smin &&
      this.smax === other.smax &&
      this.sameUnion(other)
    );
  }

  private sameUnion(other: RegState): boolean {
    return (
      this.range === other.range &&
      this.map === other.map &&
      this.mapUid === other.mapUid &&
      this.btf === other.btf &&
      this.btfId === other.btfId &&
      this.memSize === other.memSize &&
      this.dynptrId === other.dynptrId &&
      this.dynptrType === other.dynptrType &&
      this.dynptrFirstSlot === other.dynptrFirstSlot &&
      this.iterState === other.iterState &&
      this.iterDepth === other.iterDepth &&
      this.irqClass === other.irqClass &&
      this.subprogno === other.subprogno
    );
  }

  /** A frozen copy: the last one as long as nothing has changed. */
  freeze(): RegState {
    if (this.frozen) return this;
    const { twin } = this;
    if (twin?.equals(this)) return twin;
    const copy = this.clone();
    copy.frozen = true;
    this.twin = copy;
    return copy;
  }

  /** A copy that may be written to. */
  thaw(): RegState {
    const copy = this.clone();
    if (this.frozen) copy.twin = this;
    return copy;
  }

  /** Becomes what `from`, of a state that is not being walked, says. */
  restore(from: RegState): void {
    if (this.twin === from && this.equals(from)) return;
    this.copy(from);
    this.twin = from.frozen ? from : undefined;
  }

  /** The same but precise; only a frozen register is another object then. */
  madePrecise(): RegState {
    if (!this.frozen) {
      this.precise = true;
      return this;
    }
    if (this.twin === undefined) {
      this.twin = this.clone();
      this.twin.precise = true;
      this.twin.frozen = true;
    }
    return this.twin;
  }
}

/** All zero: NOT_INIT. Read only. */
export const NO_REG: RegState = new RegState();
NO_REG.frozen = true;

/** Kinds of stack bytes (`enum bpf_stack_slot_type`). */
export const SLOT = { INVALID: 0, SPILL: 1, MISC: 2, ZERO: 3, DYNPTR: 4, ITER: 5, IRQ_FLAG: 6 } as const;

/** Eight bytes of stack: types[i] is the byte at fp-8*(slot+1)+7-i, so types[0] has the highest address, as in the kernel. */
export class StackSlot {
  spilled: RegState;
  types: Uint8Array;
  /** States that are not being walked share it: nobody may write to it. */
  frozen = false;
  /** Of a slot being walked: its last frozen copy. */
  twin: StackSlot | undefined = undefined;

  constructor(spilled: RegState = new RegState(), types: Uint8Array = new Uint8Array(8)) {
    this.spilled = spilled;
    this.types = types;
  }

  /** A number for the kinds of its bytes. */
  private get kinds(): number {
    const { types } = this;
    const low = types[0] | (types[1] << 3) | (types[2] << 6) | (types[3] << 9);
    return low | (types[4] << 12) | (types[5] << 15) | (types[6] << 18) | (types[7] << 21);
  }

  /** Holds an object, so that `spilled` means something. */
  get carries(): boolean {
    const kind = this.types[7];
    return kind === SLOT.SPILL || kind >= SLOT.DYNPTR;
  }

  /** A frozen copy: the last one as long as nothing has changed. */
  freeze(): StackSlot {
    if (this.frozen) return this;
    const { twin } = this;
    if (twin?.spilled.equals(this.spilled) && twin.kinds === this.kinds) return twin;
    const copy = new StackSlot(this.spilled.freeze(), sharedTypes(this.kinds, this.types));
    copy.frozen = true;
    this.twin = copy;
    return copy;
  }

  /** The same for comparing only: a slot without an object is nothing but its bytes. */
  freezeForComparing(): StackSlot {
    return this.carries ? this.freeze() : plainSlot(this.kinds, this.types);
  }

  /** A copy that may be written to. */
  thaw(): StackSlot {
    const copy = new StackSlot(this.spilled.thaw(), this.types.slice());
    if (this.frozen) copy.twin = this;
    return copy;
  }

  /** Becomes what `from`, of a state that is not being walked, says. */
  restore(from: StackSlot): void {
    this.spilled.restore(from.spilled);
    for (let i = 0; i < 8; i++) this.types[i] = from.types[i];
    this.twin = from.frozen ? from : undefined;
  }

  /** The same with its register precise; only a frozen slot is another object then. */
  madePrecise(): StackSlot {
    const spilled = this.spilled.madePrecise();
    if (!this.frozen) return this;
    const slot = new StackSlot(spilled, this.types);
    slot.frozen = true;
    return slot;
  }
}

const typesByKinds = new Map<number, Uint8Array>();
const plainByKinds = new Map<number, StackSlot>();

/** One array for all frozen slots whose bytes are of the same kinds. */
function sharedTypes(kinds: number, types: Uint8Array): Uint8Array {
  let shared = typesByKinds.get(kinds);
  if (shared === undefined) {
    shared = types.slice();
    typesByKinds.set(kinds, shared);
  }
  return shared;
}

function plainSlot(kinds: number, types: Uint8Array): StackSlot {
  let slot = plainByKinds.get(kinds);
  if (slot === undefined) {
    slot = new StackSlot(NO_REG, sharedTypes(kinds, types));
    slot.frozen = true;
    plainByKinds.set(kinds, slot);
  }
  return slot;
}

/** Nothing is known of its bytes. Read only. */
export const INVALID_SLOT: StackSlot = plainSlot(0, new Uint8Array(8));

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
   * A copy for a state that is not being walked: it shares registers and slots with others. `idle` is for states that
   * are only compared: it stands for whatever is not initialised.
   */
  freeze(idle?: RegState): FuncState {
    const regs: RegState[] = new Array(MAX_REGS);
    for (let i = 0; i < MAX_REGS; i++) {
      const reg = this.regs[i];
      regs[i] = idle !== undefined && reg.type === REG.NOT_INIT ? idle : reg.freeze();
    }
    const f = new FuncState(this.callsite, this.frameno, this.subprogno, regs);
    f.copyPlace(this);
    const slots = this.stack.length;
    const stack: StackSlot[] = new Array(slots);
    for (let i = 0; i < slots; i++) {
      stack[i] = idle === undefined ? this.stack[i].freeze() : this.stack[i].freezeForComparing();
    }
    f.stack = stack;
    return f;
  }

  /** Becomes what `from`, a frame of a state that was put aside, says; `from` is of no use afterwards. */
  restore(from: FuncState): void {
    this.callsite = from.callsite;
    this.frameno = from.frameno;
    this.subprogno = from.subprogno;
    this.copyPlace(from);
    const { regs, stack } = this;
    for (let i = 0; i < MAX_REGS; i++) {
      const reg = from.regs[i];
      if (reg.frozen) regs[i].restore(reg);
      else regs[i] = reg;
    }
    const slots = from.stack.length;
    if (stack.length > slots) stack.length = slots;
    for (let i = 0; i < slots; i++) {
      const slot = from.stack[i];
      if (i === stack.length) stack.push(slot.frozen ? slot.thaw() : slot);
      else if (slot.frozen) stack[i].restore(slot);
      else stack[i] = slot;
    }
  }

  private copyPlace(from: FuncState): void {
    this.asyncEntryCnt = from.asyncEntryCnt;
    this.callbackRetRange = from.callbackRetRange;
    this.inCallbackFn = from.inCallbackFn;
    this.inAsyncCallbackFn = from.inAsyncCallbackFn;
    this.inExceptionCallbackFn = from.inExceptionCallbackFn;
    this.callbackDepth = from.callbackDepth;
  }

  /** Register `i` to write to, also in a state that was put aside. */
  ownReg(i: number): RegState {
    const reg = this.regs[i];
    if (!reg.frozen) return reg;
    const own = reg.thaw();
    this.regs[i] = own;
    return own;
  }

  /** The register spilled in slot `i` to write to, also in a state that was put aside. */
  ownSpilled(i: number): RegState {
    const slot = this.stack[i];
    if (!slot.frozen) return slot.spilled;
    const own = slot.thaw();
    this.stack[i] = own;
    return own.spilled;
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

export { InsnAux, type LoopInlineState, type MapPtrState } from './insn-aux.ts';

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
