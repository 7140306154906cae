// Putting the value of a CO-RE relocation into its instruction.
import { type Insn, LDIMM64 } from '../../isa/insn.ts';
import { CLASS, insnClass, insnSrc, JMP, SIZE, sizeBytes } from '../../isa/opcode.ts';
import type { Messages } from '../print.ts';
import type { CoreResult } from './calc.ts';

const EINVAL = -22;
const ERANGE = -34;
/** Number of the helper that poisoned instructions call: "bad relo". */
export const POISON_CORE = 195896080;
const CALL = CLASS.JMP | JMP.CALL;
const SIZE_CODES: Readonly<Record<number, number>> = { 1: SIZE.B, 2: SIZE.H, 4: SIZE.W, 8: SIZE.DW };

/** Makes an instruction a call of an unknown helper, which the verifier refuses unless it is dead code. */
export function poisonInsn(insn: Insn, helper: number): void {
  insn.code = CALL;
  insn.dst = 0;
  insn.src = 0;
  insn.off = 0;
  insn.imm = helper;
}

const u64 = (value: number | bigint): bigint => BigInt.asUintN(64, BigInt(value));

/**
 * Changes instruction `at` of `insns`; gives 0 or a negative errno. `index` is the number of the relocation in its
 * section. Rule: libbpf 1.8.
 */
export function patchInsn(
  insns: Insn[],
  at: number,
  result: CoreResult,
  program: string,
  index: number,
  messages: Messages,
): number {
  const insn = insns[at];
  const name = `prog '${program}': relo #${index}: `;
  const poison = (): number => {
    const places = insn.code === LDIMM64 && insns[at + 1] ? [at + 1, at] : [at];
    for (const place of places) {
      messages.debug(() => `${name}substituting insn #${place} w/ invalid insn`);
      poisonInsn(insns[place], POISON_CORE);
    }
    return 0;
  };
  if (result.poison) return poison();
  const { before, after } = result;
  switch (insnClass(insn.code)) {
    case CLASS.ALU:
    case CLASS.ALU64: {
      if (insnSrc(insn.code) !== 0) return EINVAL;
      if (result.validate && u64(insn.imm) !== before) {
        messages.warn(`${name}unexpected insn #${at} (ALU/ALU64) value: got ${insn.imm}, exp ${before} -> ${after}`);
        return EINVAL;
      }
      const old = u64(insn.imm);
      insn.imm = Number(BigInt.asIntN(32, after));
      messages.debug(() => `${name}patched insn #${at} (ALU/ALU64) imm ${old} -> ${after}`);
      return 0;
    }
    case CLASS.LDX:
    case CLASS.ST:
    case CLASS.STX: {
      const what = `${name}insn #${at} (LDX/ST/STX) `;
      if (result.validate && u64(insn.off) !== before) {
        messages.warn(`${name}unexpected insn #${at} (LDX/ST/STX) value: got ${insn.off}, exp ${before} -> ${after}`);
        return EINVAL;
      }
      if (after > 0x7fffn) {
        messages.warn(`${what}value too big: ${after}`);
        return ERANGE;
      }
      if (result.failSize) {
        messages.warn(
          `${what}accesses field incorrectly. Make sure you are accessing pointers, unsigned integers, ` +
            'or fields of matching type and size.',
        );
        return poison();
      }
      const old = u64(insn.off);
      insn.off = Number(after);
      messages.debug(() => `${name}patched insn #${at} (LDX/ST/STX) off ${old} -> ${after}`);
      if (result.sizeBefore === result.sizeAfter) return 0;
      const bytes = sizeBytes(insn.code);
      if (bytes !== result.sizeBefore) {
        messages.warn(`${what}unexpected mem size: got ${bytes}, exp ${result.sizeBefore}`);
        return EINVAL;
      }
      const code = SIZE_CODES[result.sizeAfter];
      if (code === undefined) {
        messages.warn(`${what}invalid new mem size: ${result.sizeAfter}`);
        return EINVAL;
      }
      insn.code = (insn.code & 0xe7) | code;
      messages.debug(
        () => `${name}patched insn #${at} (LDX/ST/STX) mem_sz ${result.sizeBefore} -> ${result.sizeAfter}`,
      );
      return 0;
    }
    case CLASS.LD: {
      const high = insns[at + 1];
      const pure =
        insn.code === LDIMM64 &&
        insn.src === 0 &&
        insn.off === 0 &&
        high &&
        high.code === 0 &&
        high.dst === 0 &&
        high.src === 0 &&
        high.off === 0;
      if (!pure) {
        messages.warn(`${name}insn #${at} (LDIMM64) has unexpected form`);
        return EINVAL;
      }
      const old = (BigInt(high.imm >>> 0) << 32n) | BigInt(insn.imm >>> 0);
      if (result.validate && old !== before) {
        messages.warn(`${name}unexpected insn #${at} (LDIMM64) value: got ${old}, exp ${before} -> ${after}`);
        return EINVAL;
      }
      insn.imm = Number(BigInt.asIntN(32, after));
      high.imm = Number(BigInt.asIntN(32, after >> 32n));
      messages.debug(() => `${name}patched insn #${at} (LDIMM64) imm64 ${old} -> ${after}`);
      return 0;
    }
    default: {
      const hex = (value: number): string => (value >>> 0).toString(16);
      messages.warn(
        `${name}trying to relocate unrecognized insn #${at}, code:0x${hex(insn.code)}, src:0x${hex(insn.src)}, ` +
          `dst:0x${hex(insn.dst)}, off:0x${hex(insn.off)}, imm:0x${hex(insn.imm)}`,
      );
      return EINVAL;
    }
  }
}
