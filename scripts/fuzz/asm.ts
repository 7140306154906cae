// The program being written: instructions with labels that are resolved at the end.
import { encodeInsns, type Insn, insn, LDIMM64 } from '../../src/isa/insn.ts';
import { ALU, CALL_KIND, CLASS, JMP, MODE, PSEUDO, SIZE, SRC } from '../../src/isa/opcode.ts';

export type Label = number;

/** Bits of SIZE for an access of 1, 2, 4 or 8 bytes. */
export const SIZE_BITS: Readonly<Record<number, number>> = { 1: SIZE.B, 2: SIZE.H, 4: SIZE.W, 8: SIZE.DW };

/** Where the number of instructions up to a label goes. */
interface Fixup {
  at: number;
  field: 'off' | 'imm';
  label: Label;
}

export class Assembler {
  readonly insns: Insn[] = [];
  private readonly fixups: Fixup[] = [];
  private readonly places: (number | undefined)[] = [];

  get length(): number {
    return this.insns.length;
  }

  label(): Label {
    return this.places.push(undefined) - 1;
  }

  place(label: Label): void {
    this.places[label] = this.insns.length;
  }

  /** A label here. */
  here(): Label {
    return this.places.push(this.insns.length) - 1;
  }

  raw(code: number, dst = 0, src = 0, off = 0, imm = 0): void {
    this.insns.push(insn(code, dst, src, off, imm));
  }

  /** dst op= imm, of 64 or 32 bits. */
  aluImm(op: number, dst: number, imm: number, wide = true, off = 0): void {
    this.raw((wide ? CLASS.ALU64 : CLASS.ALU) | op | SRC.K, dst, 0, off, imm);
  }

  /** dst op= src; `off` picks signed division and sign extension. */
  aluReg(op: number, dst: number, src: number, wide = true, off = 0): void {
    this.raw((wide ? CLASS.ALU64 : CLASS.ALU) | op | SRC.X, dst, src, off, 0);
  }

  mov(dst: number, src: number): void {
    this.aluReg(ALU.MOV, dst, src);
  }

  movImm(dst: number, imm: number): void {
    this.aluImm(ALU.MOV, dst, imm);
  }

  load(size: number, dst: number, src: number, off: number, mode: number = MODE.MEM): void {
    this.raw(CLASS.LDX | mode | SIZE_BITS[size], dst, src, off);
  }

  store(size: number, dst: number, off: number, src: number): void {
    this.raw(CLASS.STX | MODE.MEM | SIZE_BITS[size], dst, src, off);
  }

  storeImm(size: number, dst: number, off: number, imm: number): void {
    this.raw(CLASS.ST | MODE.MEM | SIZE_BITS[size], dst, 0, off, imm);
  }

  atomic(size: number, dst: number, off: number, src: number, op: number): void {
    this.raw(CLASS.STX | MODE.ATOMIC | SIZE_BITS[size], dst, src, off, op);
  }

  private fix(field: 'off' | 'imm', label: Label): void {
    this.fixups.push({ at: this.insns.length - 1, field, label });
  }

  jumpImm(op: number, dst: number, imm: number, to: Label, wide = true): void {
    this.raw((wide ? CLASS.JMP : CLASS.JMP32) | op | SRC.K, dst, 0, 0, imm);
    this.fix('off', to);
  }

  jumpReg(op: number, dst: number, src: number, to: Label, wide = true): void {
    this.raw((wide ? CLASS.JMP : CLASS.JMP32) | op | SRC.X, dst, src);
    this.fix('off', to);
  }

  jump(to: Label): void {
    this.raw(CLASS.JMP | JMP.JA);
    this.fix('off', to);
  }

  /** A jump with a displacement of 32 bits. */
  farJump(to: Label): void {
    this.raw(CLASS.JMP32 | JMP.JA);
    this.fix('imm', to);
  }

  mayGoto(to: Label): void {
    this.raw(CLASS.JMP | JMP.JCOND);
    this.fix('off', to);
  }

  private wide(dst: number, src: number, value: bigint, high = 0): void {
    this.raw(LDIMM64, dst, src, 0, Number(BigInt.asIntN(32, value)));
    this.raw(0, 0, 0, 0, src === 0 ? Number(BigInt.asIntN(32, value >> 32n)) : high);
  }

  imm64(dst: number, value: bigint): void {
    this.wide(dst, 0, value);
  }

  /** The map with that index; as in captured cases a map's descriptor is its index + 1 until the load. */
  map(dst: number, index: number): void {
    this.wide(dst, PSEUDO.MAP_FD, BigInt(index + 1));
  }

  mapValue(dst: number, index: number, off: number): void {
    this.wide(dst, PSEUDO.MAP_VALUE, BigInt(index + 1), off);
  }

  kernelVariable(dst: number, btfId: number): void {
    this.wide(dst, PSEUDO.BTF_ID, BigInt(btfId));
  }

  func(dst: number, to: Label): void {
    this.wide(dst, PSEUDO.FUNC, 0n);
    this.fixups.push({ at: this.insns.length - 2, field: 'imm', label: to });
  }

  call(helper: number): void {
    this.raw(CLASS.JMP | JMP.CALL, 0, CALL_KIND.HELPER, 0, helper);
  }

  callKernel(btfId: number): void {
    this.raw(CLASS.JMP | JMP.CALL, 0, CALL_KIND.KFUNC, 0, btfId);
  }

  callLocal(to: Label): void {
    this.raw(CLASS.JMP | JMP.CALL, 0, CALL_KIND.PSEUDO);
    this.fix('imm', to);
  }

  exit(): void {
    this.raw(CLASS.JMP | JMP.EXIT);
  }

  /** Where writing stands, to come back to. */
  mark(): { insns: number; fixups: number } {
    return { insns: this.insns.length, fixups: this.fixups.length };
  }

  /** Forgets what has been written since. */
  rewind({ insns, fixups }: { insns: number; fixups: number }): void {
    this.insns.length = insns;
    this.fixups.length = fixups;
  }

  /** Index of a placed label. */
  placeOf(label: Label): number {
    return this.places[label] ?? this.insns.length;
  }

  /** Resolves the labels; ones that were never placed lie at the end. */
  finish(): Uint8Array {
    for (const { at, field, label } of this.fixups) {
      const distance = this.placeOf(label) - at - 1;
      this.insns[at][field] = field === 'off' ? (distance << 16) >> 16 : distance;
    }
    return encodeInsns(this.insns);
  }
}
