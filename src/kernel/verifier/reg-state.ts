// What is known of one register.
import type { Btf } from '../../btf/btf.ts';
import type { KMap } from '../objects.ts';
import { REG, TNUM_ZERO, type Tnum } from './kinds.ts';

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
  /** Of a frozen one: how the log shows it, once that was asked for. */
  text: string | undefined = undefined;

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
