import type { FuncState } from './frame-state.ts';

export * from './frame-state.ts';
export * from './insn-aux.ts';
export * from './kinds.ts';
export * from './reg-state.ts';

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
