// Stack slots and frames. The path being walked has its own; states that were put aside share frozen ones, since most of
// a state is what it was at the last branch.
import { MAX_REGS, REG, SLOT } from './kinds.ts';
import { NO_REG, RegState } from './reg-state.ts';

/** Eight bytes of stack: types[i] is the byte at fp-8*(slot+1)+7-i, so types[0] has the highest address, as in the kernel. */
export class StackSlot {
  spilled: RegState;
  types: Uint8Array;
  /** States that are not being walked share it: nobody may write to it. */
  frozen = false;
  /** Frozen, and each byte may be anything or nothing. */
  open = false;
  /** Of a slot being walked: its last frozen copy. */
  twin: StackSlot | undefined = undefined;

  constructor(spilled: RegState = new RegState(), types: Uint8Array = new Uint8Array(8)) {
    this.spilled = spilled;
    this.types = types;
  }

  /** A number for the kinds of its bytes. */
  get kinds(): number {
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
    slot.open = types.every((type) => type === SLOT.INVALID || type === SLOT.MISC);
    plainByKinds.set(kinds, slot);
  }
  return slot;
}

/** Nothing is known of its bytes. Read only. */
export const INVALID_SLOT: StackSlot = plainSlot(0, new Uint8Array(8));

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
