// The instructions of a loader program, from single ones up to system calls.
//
// R6 holds the context, R7 what the last system call gave, R8 the instruction that is being relocated, R9 what closing
// a descriptor gave. The blob is the value of the first map of the program's descriptor table.
import { ERRNO } from '../../errno.ts';
import { encodeInsns, type Insn, insn, LDIMM64 } from '../../isa/insn.ts';
import { ALU, CLASS, JMP, MODE, PSEUDO, SIZE, SRC } from '../../isa/opcode.ts';
import { HELPER } from '../../isa/uapi.ts';
import type { Failure } from './blob.ts';
import { MAX_PROGRAMS } from './layouts.ts';

export const R0 = 0;
const R1 = 1;
const R2 = 2;
const R3 = 3;
const CTX = 6;
export const RESULT = 7;
export const TARGET = 8;
export const SPARE = 9;
const FRAME = 10;

/** Stack of a loader program: descriptors, each of 4 bytes. Offsets from the frame pointer. */
const STACK_BYTES = 8 + MAX_PROGRAMS * 4;
const STACK = { btfFd: -STACK_BYTES, innerMapFd: -STACK_BYTES + 4, progFd: -STACK_BYTES + 8 } as const;
export const STACK_BTF_FD = STACK.btfFd;
export const STACK_INNER_MAP_FD = STACK.innerMapFd;
export const stackProgFd = (index: number): number => STACK.progFd + index * 4;

type Width = 1 | 2 | 4 | 8;
const SIZE_OF: Readonly<Record<Width, number>> = { 1: SIZE.B, 2: SIZE.H, 4: SIZE.W, 8: SIZE.DW };
/** Instructions that close one descriptor of the blob. */
const CLOSE_INSNS = 6;
/** Instructions that close one descriptor of the stack when an error has happened. */
const CLEANUP_INSNS = 3;
const MIN_JUMP = -0x8000;

export class LoaderCode {
  private readonly insns: Insn[] = [];
  private readonly failure: Failure;
  /** First instruction of what runs after an error. */
  private cleanup = 0;

  constructor(failure: Failure) {
    this.failure = failure;
  }

  encoded(): Uint8Array {
    return encodeInsns(this.insns);
  }

  private emit(code: number, dst = 0, src = 0, off = 0, imm = 0): void {
    if (!this.failure.errno) this.insns.push(insn(code, dst, src, off, imm));
  }

  copy(dst: number, src: number): void {
    this.emit(CLASS.ALU64 | ALU.MOV | SRC.X, dst, src);
  }

  set(dst: number, value: number): void {
    this.emit(CLASS.ALU64 | ALU.MOV | SRC.K, dst, 0, 0, value);
  }

  shiftRight(dst: number, by: number): void {
    this.emit(CLASS.ALU64 | ALU.RSH | SRC.K, dst, 0, 0, by);
  }

  and32(dst: number, mask: number): void {
    this.emit(CLASS.ALU | ALU.AND | SRC.K, dst, 0, 0, mask);
  }

  call(helper: number): void {
    this.emit(CLASS.JMP | JMP.CALL, 0, 0, 0, helper);
  }

  jump(by: number): void {
    this.emit(CLASS.JMP | JMP.JA, 0, 0, by);
  }

  /** Skips `by` instructions when the comparison (a member of JMP) holds. */
  jumpIf(comparison: number, reg: number, value: number, by: number): void {
    this.emit(CLASS.JMP | comparison | SRC.K, reg, 0, by, value);
  }

  exit(): void {
    this.emit(CLASS.JMP | JMP.EXIT);
  }

  load(width: Width, dst: number, base: number, off: number): void {
    this.emit(CLASS.LDX | SIZE_OF[width] | MODE.MEM, dst, base, off);
  }

  store(width: Width, base: number, off: number, src: number): void {
    this.emit(CLASS.STX | SIZE_OF[width] | MODE.MEM, base, src, off);
  }

  storeValue(width: Width, base: number, off: number, value: number): void {
    this.emit(CLASS.ST | SIZE_OF[width] | MODE.MEM, base, 0, off, value);
  }

  loadContext(width: Width, dst: number, off: number): void {
    this.load(width, dst, CTX, off);
  }

  storeStack(off: number, src: number): void {
    this.store(4, FRAME, off, src);
  }

  /** `dst` = address of a byte of the blob. */
  address(dst: number, blob: number): void {
    this.emit(LDIMM64, dst, PSEUDO.MAP_IDX_VALUE);
    this.emit(0, 0, 0, 0, blob);
  }

  /** Keeps the context, clears the stack, and writes what runs after an error: it closes everything. */
  begin(programs: number, maps: number, blobFd: (map: number) => number): void {
    this.copy(CTX, R1);
    this.copy(R1, FRAME);
    this.emit(CLASS.ALU64 | ALU.ADD | SRC.K, R1, 0, 0, -STACK_BYTES);
    this.set(R2, STACK_BYTES);
    this.set(R3, 0);
    this.call(HELPER.probe_read_kernel);
    const descriptors = 2 + programs;
    this.jump(descriptors * CLEANUP_INSNS + 2 + maps * CLOSE_INSNS);
    this.cleanup = this.insns.length;
    for (let i = 0; i < descriptors; i++) {
      this.load(4, R1, FRAME, -STACK_BYTES + i * 4);
      this.jumpIf(JMP.JSLE, R1, 0, 1);
      this.call(HELPER.sys_close);
    }
    for (let i = 0; i < maps; i++) this.closeBlob(blobFd(i));
    this.copy(R0, RESULT);
    this.exit();
  }

  /** Leaves through the clean-up when R7 is negative. */
  checkError(): void {
    const off = this.cleanup - this.insns.length - 1;
    if (off >= MIN_JUMP) this.jumpIf(JMP.JSLT, RESULT, 0, off);
    else this.failure.errno = ERRNO.ERANGE;
  }

  private closeR1(): void {
    this.jumpIf(JMP.JSLE, R1, 0, 2);
    this.copy(SPARE, R1);
    this.call(HELPER.sys_close);
  }

  /** Closes a descriptor of the stack, if it is one. */
  closeStack(off: number): void {
    this.load(4, R1, FRAME, off);
    this.closeR1();
  }

  closeBlob(blob: number): void {
    this.address(R0, blob);
    this.load(4, R1, R0, 0);
    this.closeR1();
  }

  /** Stores the address of `data` in the 8 bytes at `at`. */
  storeAddress(at: number, data: number): void {
    this.address(R0, data);
    this.address(R1, at);
    this.store(8, R1, 0, R0);
  }

  /** Ends with the value in R0. */
  blobToBlob(to: number, width: Width, from: number): void {
    this.address(R2, from);
    this.load(width, R0, R2, 0);
    this.address(R1, to);
    this.store(width, R1, 0, R0);
  }

  blobToContext(to: number, width: Width, from: number): void {
    this.address(R1, from);
    this.load(width, R0, R1, 0);
    this.store(width, CTX, to, R0);
  }

  /** `unlessZero`: a zero in the context leaves the blob as it is. */
  contextToBlob(to: number, width: Width, from: number, unlessZero = false): void {
    this.load(width, R0, CTX, from);
    if (unlessZero) this.jumpIf(JMP.JEQ, R0, 0, 3);
    this.address(R1, to);
    this.store(width, R1, 0, R0);
  }

  stackToBlob(to: number, off: number): void {
    this.load(4, R0, FRAME, off);
    this.address(R1, to);
    this.store(4, R1, 0, R0);
  }

  stackToContext(to: number, off: number): void {
    this.load(4, R0, FRAME, off);
    this.store(4, CTX, to, R0);
  }

  /** bpf(2) with an attribute of the blob; the result is in R7. */
  systemCall(command: number, attr: number, bytes: number): void {
    this.set(R1, command);
    this.address(R2, attr);
    this.set(R3, bytes);
    this.call(HELPER.sys_bpf);
    this.copy(RESULT, R0);
  }
}
