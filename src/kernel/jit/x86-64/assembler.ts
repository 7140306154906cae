// A small x86-64 assembler: bytes, operands and the instruction forms that the emitter uses. Registers are 0 … 15.
// Names of forms follow the manuals: `reg` is ModRM.reg, `rm` is ModRM.rm, `/n` is an opcode extension in ModRM.reg.

/** Opcodes of the two-operand group whose destination is ModRM.rm. */
export const OP = {
  ADD: 0x01,
  OR: 0x09,
  AND: 0x21,
  SUB: 0x29,
  XOR: 0x31,
  CMP: 0x39,
  TEST: 0x85,
  XCHG: 0x87,
  MOV_STORE: 0x89,
  MOV_LOAD: 0x8b,
  MOVSXD: 0x63,
} as const;

/** Opcode extensions of group 1 (83 ib, 81 id): add, or, and, sub, xor, cmp. */
export const GROUP1 = { ADD: 0, OR: 1, AND: 4, SUB: 5, XOR: 6, CMP: 7 } as const;
/** Opcode extensions of group 2 (c1 ib, d1, d3): rotates and shifts. */
export const GROUP2 = { ROL: 0, ROR: 1, SHL: 4, SHR: 5, SAR: 7 } as const;
/** Opcode extensions of group 3 (f7). */
export const GROUP3 = { TEST: 0, NEG: 3, DIV: 6, IDIV: 7 } as const;
/** Second byte of 0f xx opcodes. */
export const OP2 = {
  CMOVE: 0x44,
  IMUL: 0xaf,
  CMPXCHG: 0xb1,
  MOVZX8: 0xb6,
  MOVZX16: 0xb7,
  MOVSX8: 0xbe,
  MOVSX16: 0xbf,
  XADD: 0xc1,
} as const;
/** Condition codes as in 70+cc and 0f 80+cc. */
export const CC = { B: 0x2, AE: 0x3, E: 0x4, NE: 0x5, BE: 0x6, A: 0x7, L: 0xc, GE: 0xd, LE: 0xe, G: 0xf } as const;

export const isImm8 = (value: number): boolean => value >= -128 && value <= 127;

/** Multi-byte no-ops of 1 to 11 bytes. rule: asm/nops.h */
const NOPS: readonly (readonly number[])[] = [
  [],
  [0x90],
  [0x66, 0x90],
  [0x0f, 0x1f, 0x00],
  [0x0f, 0x1f, 0x40, 0x00],
  [0x0f, 0x1f, 0x44, 0x00, 0x00],
  [0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00],
  [0x0f, 0x1f, 0x80, 0x00, 0x00, 0x00, 0x00],
  [0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00],
];
export const NOP5: readonly number[] = NOPS[5];

/** Bytes in order of emission. The buffer is used again from pass to pass: `reset` starts anew. */
export class Assembler {
  private buffer = new Uint8Array(1024);
  /** Bytes emitted so far. */
  length = 0;

  reset(): void {
    this.length = 0;
  }

  /** Copy of what was emitted. */
  take(): Uint8Array {
    return this.buffer.slice(0, this.length);
  }

  byte(value: number): void {
    if (this.length === this.buffer.length) {
      const grown = new Uint8Array(this.buffer.length * 2);
      grown.set(this.buffer);
      this.buffer = grown;
    }
    this.buffer[this.length++] = value;
  }

  bytes(...values: number[]): void {
    for (const value of values) this.byte(value);
  }

  imm16(value: number): void {
    this.byte(value);
    this.byte(value >> 8);
  }

  imm32(value: number): void {
    this.imm16(value);
    this.imm16(value >> 16);
  }

  /** Overwrites a byte emitted before: a short displacement that is known now. */
  patchByte(at: number, value: number): void {
    this.buffer[at] = value;
  }

  nops(count: number): void {
    for (let left = count; left > 0; ) {
      const size = Math.min(left, NOPS.length - 1);
      for (const b of NOPS[size]) this.byte(b);
      left -= size;
    }
  }

  /** REX prefix, always written. */
  rexAlways(wide: boolean, reg: number, rm: number, index = 0): void {
    this.byte(0x40 | (wide ? 8 : 0) | ((reg >> 3) << 2) | ((index >> 3) << 1) | (rm >> 3));
  }

  /** REX prefix where the width or a register above 7 needs one. */
  rex(wide: boolean, reg: number, rm: number): void {
    if (wide || reg > 7 || rm > 7) this.rexAlways(wide, reg, rm);
  }

  modRegister(reg: number, rm: number): void {
    this.byte(0xc0 | ((reg & 7) << 3) | (rm & 7));
  }

  /** Memory operand base+disp; a displacement is always written, 8 bits where it fits. The base is not rsp or r12. */
  modMemory(reg: number, base: number, disp: number): void {
    if (isImm8(disp)) {
      this.byte(0x40 | ((reg & 7) << 3) | (base & 7));
      this.byte(disp);
    } else {
      this.byte(0x80 | ((reg & 7) << 3) | (base & 7));
      this.imm32(disp);
    }
  }

  /** Memory operand base+index+disp, scale 1. */
  modIndexed(reg: number, base: number, index: number, disp: number): void {
    const short = isImm8(disp);
    this.byte((short ? 0x44 : 0x84) | ((reg & 7) << 3));
    this.byte(((index & 7) << 3) | (base & 7));
    if (short) this.byte(disp);
    else this.imm32(disp);
  }

  /** opcode /r between registers: destination rm, source reg. */
  regReg(wide: boolean, opcode: number, rm: number, reg: number): void {
    this.rex(wide, reg, rm);
    this.byte(opcode);
    this.modRegister(reg, rm);
  }

  /** 0f opcode /r between registers. */
  regReg2(wide: boolean, opcode: number, rm: number, reg: number): void {
    this.rex(wide, reg, rm);
    this.byte(0x0f);
    this.byte(opcode);
    this.modRegister(reg, rm);
  }

  /** opcode /n on one register. */
  unary(wide: boolean, opcode: number, extension: number, rm: number): void {
    this.rex(wide, 0, rm);
    this.byte(opcode);
    this.modRegister(extension, rm);
  }

  push(reg: number): void {
    this.rex(false, 0, reg);
    this.byte(0x50 | (reg & 7));
  }

  pop(reg: number): void {
    this.rex(false, 0, reg);
    this.byte(0x58 | (reg & 7));
  }

  /** mov rm, reg of 64 bits; nothing for a register onto itself. */
  mov64(dst: number, src: number): void {
    if (dst !== src) this.regReg(true, OP.MOV_STORE, dst, src);
  }

  /** mov of 32 bits, which clears the upper half: always written. */
  mov32(dst: number, src: number): void {
    this.regReg(false, OP.MOV_STORE, dst, src);
  }

  mov(wide: boolean, dst: number, src: number): void {
    if (wide) this.mov64(dst, src);
    else this.mov32(dst, src);
  }

  /** Constant with zero extension, or with sign extension where `signed` says so; zero becomes xor. */
  movImm32(signed: boolean, dst: number, value: number): void {
    if (signed && value < 0) {
      this.unary(true, 0xc7, 0, dst);
      this.imm32(value);
    } else if (value === 0) {
      this.regReg(false, OP.XOR, dst, dst);
    } else {
      this.rex(false, 0, dst);
      this.byte(0xb8 | (dst & 7));
      this.imm32(value);
    }
  }

  /** 64-bit constant from its halves (signed 32-bit numbers), in the shortest form. */
  movImm64(dst: number, high: number, low: number): void {
    if (high === 0) {
      this.movImm32(false, dst, low);
    } else if (high === -1 && low < 0) {
      this.movImm32(true, dst, low);
    } else {
      this.rexAlways(true, 0, dst);
      this.byte(0xb8 | (dst & 7));
      this.imm32(low);
      this.imm32(high);
    }
  }

  /** The same from one number. */
  movAddress(dst: number, value: bigint): void {
    this.movImm64(dst, Number(BigInt.asIntN(32, value >> 32n)), Number(BigInt.asIntN(32, value)));
  }

  /** add dst, gs:[absolute]: turns a per-CPU pointer into one of this CPU. REX as given by the caller. */
  addGs(rex: number, reg: number, low32: number): void {
    this.bytes(0x65, rex, 0x03, 0x04 | ((reg & 7) << 3), 0x25);
    this.imm32(low32);
  }
}
