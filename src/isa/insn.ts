// One BPF instruction in the 8-byte wire form, little-endian.

/** An instruction; `off` is signed 16-bit, `imm` signed 32-bit. A 64-bit immediate load is two of them. */
export interface Insn {
  code: number;
  dst: number;
  src: number;
  off: number;
  imm: number;
}

/** Bytes of one instruction. */
export const INSN_BYTES = 8;

/** The code of `ldimm64`, the only instruction that takes two slots. */
export const LDIMM64 = 0x18;

export const insn = (code: number, dst = 0, src = 0, off = 0, imm = 0): Insn => ({ code, dst, src, off, imm: imm | 0 });

/**
 * Decodes a whole number of instructions; trailing bytes short of one are ignored. In big-endian form the two registers
 * have changed places, too.
 */
export function decodeInsns(bytes: Uint8Array, littleEndian = true): Insn[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const out: Insn[] = new Array(Math.floor(bytes.length / INSN_BYTES));
  for (let i = 0; i < out.length; i++) {
    const at = i * INSN_BYTES;
    const regs = bytes[at + 1];
    out[i] = {
      code: bytes[at],
      dst: littleEndian ? regs & 0x0f : regs >> 4,
      src: littleEndian ? regs >> 4 : regs & 0x0f,
      off: view.getInt16(at + 2, littleEndian),
      imm: view.getInt32(at + 4, littleEndian),
    };
  }
  return out;
}

export function encodeInsns(insns: readonly Insn[]): Uint8Array {
  const bytes = new Uint8Array(insns.length * INSN_BYTES);
  const view = new DataView(bytes.buffer);
  insns.forEach((x, i) => {
    const at = i * INSN_BYTES;
    bytes[at] = x.code;
    bytes[at + 1] = (x.dst & 0x0f) | (x.src << 4);
    view.setInt16(at + 2, x.off, true);
    view.setInt32(at + 4, x.imm, true);
  });
  return bytes;
}

/** The 64-bit value of the `ldimm64` at `i`, unsigned. */
export const imm64 = (insns: readonly Insn[], i: number): bigint =>
  (BigInt(insns[i + 1].imm >>> 0) << 32n) | BigInt(insns[i].imm >>> 0);
