// What the verifier notes of one instruction for later passes. A program may have a million instructions, so what most
// of them never need is kept apart, and what is true or false is a bit.
import type { Btf } from '../../btf/btf.ts';
import type { KMap, SpecialRecord } from '../objects.ts';

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

interface VariableAux {
  regType: number;
  btf: Btf | undefined;
  btfId: number;
  memSize: number;
}

interface StructMetaAux {
  btf: Btf;
  btfId: number;
  record: SpecialRecord;
}

/** What few instructions need. */
class RareAux {
  mapPtrState: MapPtrState | undefined = undefined;
  aluState = 0;
  aluLimit = 0;
  mapIndex = 0;
  mapOff = 0;
  btfVar: VariableAux | undefined = undefined;
  loopInline: LoopInlineState | undefined = undefined;
  objNewSize = 0;
  insertOff = 0;
  kptrStructMeta: StructMetaAux | undefined = undefined;
  mapKeyState = 0n;
  fastcallSpillsNum = 0;
  argProg = 0;
}

/** Of an instruction that needs none of it. Read only. */
const NONE = Object.freeze(new RareAux());

const BIT = {
  nospec: 1 << 0,
  nospecResult: 1 << 1,
  zextDst: 1 << 2,
  needsZext: 1 << 3,
  storageGetFuncAtomic: 1 << 4,
  isIterNext: 1 << 5,
  callWithPercpuAllocPtr: 1 << 6,
  fastcallPattern: 1 << 7,
  jmpPoint: 1 << 8,
  prunePoint: 1 << 9,
  forceCheckpoint: 1 << 10,
  callsCallback: 1 << 11,
} as const;

/** `struct bpf_insn_aux_data` */
export class InsnAux {
  /** Loads and stores: pointer type seen there; NOT_INIT while none. */
  ptrType = 0;
  /** Pass in which the instruction was seen; 0: never. */
  seen = 0;
  liveRegsBefore = 0;
  scc = 0;
  origIdx = 0;
  /** The instruction of the loaded program that this one stands for; -1: none. */
  origin = -1;
  ctxFieldSize = 0;
  private bits = 0;
  private rare: RareAux | undefined = undefined;

  private get some(): RareAux {
    this.rare ??= new RareAux();
    return this.rare;
  }

  private set(bit: number, on: boolean): void {
    this.bits = on ? this.bits | bit : this.bits & ~bit;
  }

  get nospec(): boolean {
    return (this.bits & BIT.nospec) !== 0;
  }
  set nospec(on: boolean) {
    this.set(BIT.nospec, on);
  }

  get nospecResult(): boolean {
    return (this.bits & BIT.nospecResult) !== 0;
  }
  set nospecResult(on: boolean) {
    this.set(BIT.nospecResult, on);
  }

  get zextDst(): boolean {
    return (this.bits & BIT.zextDst) !== 0;
  }
  set zextDst(on: boolean) {
    this.set(BIT.zextDst, on);
  }

  get needsZext(): boolean {
    return (this.bits & BIT.needsZext) !== 0;
  }
  set needsZext(on: boolean) {
    this.set(BIT.needsZext, on);
  }

  get storageGetFuncAtomic(): boolean {
    return (this.bits & BIT.storageGetFuncAtomic) !== 0;
  }
  set storageGetFuncAtomic(on: boolean) {
    this.set(BIT.storageGetFuncAtomic, on);
  }

  get isIterNext(): boolean {
    return (this.bits & BIT.isIterNext) !== 0;
  }
  set isIterNext(on: boolean) {
    this.set(BIT.isIterNext, on);
  }

  get callWithPercpuAllocPtr(): boolean {
    return (this.bits & BIT.callWithPercpuAllocPtr) !== 0;
  }
  set callWithPercpuAllocPtr(on: boolean) {
    this.set(BIT.callWithPercpuAllocPtr, on);
  }

  get fastcallPattern(): boolean {
    return (this.bits & BIT.fastcallPattern) !== 0;
  }
  set fastcallPattern(on: boolean) {
    this.set(BIT.fastcallPattern, on);
  }

  get jmpPoint(): boolean {
    return (this.bits & BIT.jmpPoint) !== 0;
  }
  set jmpPoint(on: boolean) {
    this.set(BIT.jmpPoint, on);
  }

  get prunePoint(): boolean {
    return (this.bits & BIT.prunePoint) !== 0;
  }
  set prunePoint(on: boolean) {
    this.set(BIT.prunePoint, on);
  }

  get forceCheckpoint(): boolean {
    return (this.bits & BIT.forceCheckpoint) !== 0;
  }
  set forceCheckpoint(on: boolean) {
    this.set(BIT.forceCheckpoint, on);
  }

  get callsCallback(): boolean {
    return (this.bits & BIT.callsCallback) !== 0;
  }
  set callsCallback(on: boolean) {
    this.set(BIT.callsCallback, on);
  }

  get mapPtrState(): MapPtrState | undefined {
    return (this.rare ?? NONE).mapPtrState;
  }
  set mapPtrState(value: MapPtrState | undefined) {
    if (value !== this.mapPtrState) this.some.mapPtrState = value;
  }

  get aluState(): number {
    return (this.rare ?? NONE).aluState;
  }
  set aluState(value: number) {
    if (value !== this.aluState) this.some.aluState = value;
  }

  get aluLimit(): number {
    return (this.rare ?? NONE).aluLimit;
  }
  set aluLimit(value: number) {
    if (value !== this.aluLimit) this.some.aluLimit = value;
  }

  /** ldimm64 of a map or map value: index into usedMaps, and offset in the value area. */
  get mapIndex(): number {
    return (this.rare ?? NONE).mapIndex;
  }
  set mapIndex(value: number) {
    if (value !== this.mapIndex) this.some.mapIndex = value;
  }

  get mapOff(): number {
    return (this.rare ?? NONE).mapOff;
  }
  set mapOff(value: number) {
    if (value !== this.mapOff) this.some.mapOff = value;
  }

  get btfVar(): VariableAux | undefined {
    return (this.rare ?? NONE).btfVar;
  }
  set btfVar(value: VariableAux | undefined) {
    if (value !== this.btfVar) this.some.btfVar = value;
  }

  get loopInline(): LoopInlineState | undefined {
    return (this.rare ?? NONE).loopInline;
  }
  set loopInline(value: LoopInlineState | undefined) {
    if (value !== this.loopInline) this.some.loopInline = value;
  }

  get objNewSize(): number {
    return (this.rare ?? NONE).objNewSize;
  }
  set objNewSize(value: number) {
    if (value !== this.objNewSize) this.some.objNewSize = value;
  }

  get insertOff(): number {
    return (this.rare ?? NONE).insertOff;
  }
  set insertOff(value: number) {
    if (value !== this.insertOff) this.some.insertOff = value;
  }

  get kptrStructMeta(): StructMetaAux | undefined {
    return (this.rare ?? NONE).kptrStructMeta;
  }
  set kptrStructMeta(value: StructMetaAux | undefined) {
    if (value !== this.kptrStructMeta) this.some.kptrStructMeta = value;
  }

  /** Constant key of a map helper: the kernel's bit layout, see map_key_state. */
  get mapKeyState(): bigint {
    return (this.rare ?? NONE).mapKeyState;
  }
  set mapKeyState(value: bigint) {
    if (value !== this.mapKeyState) this.some.mapKeyState = value;
  }

  get fastcallSpillsNum(): number {
    return (this.rare ?? NONE).fastcallSpillsNum;
  }
  set fastcallSpillsNum(value: number) {
    if (value !== this.fastcallSpillsNum) this.some.fastcallSpillsNum = value;
  }

  get argProg(): number {
    return (this.rare ?? NONE).argProg;
  }
  set argProg(value: number) {
    if (value !== this.argProg) this.some.argProg = value;
  }
}
