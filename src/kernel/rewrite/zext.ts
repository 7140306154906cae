// The upper halves of registers after 32-bit definitions.

import type { Insn } from '../../isa/insn.ts';
import { ALU, ATOMIC, CLASS, insnClass, insnMode, MODE } from '../../isa/opcode.ts';
import type { VerifierEnv } from '../verifier/env.ts';
import { REG } from '../verifier/types.ts';
import { AX, aluImm, aluReg, movImm, movReg } from './build.ts';
import { definedReg, definesWide } from './definition.ts';
import { Expansion } from './expand.ts';

/** prog_flags bit: fill upper halves that nobody may rely on with random bits. */
const TEST_RND_HI32 = 4;

/** `imm` of a move that is there to zero the upper half; compilers look for it. */
const ZEXT_MARK = 1;

const isCompareExchange = ({ code, imm }: Insn): boolean =>
  insnClass(code) === CLASS.STX && insnMode(code) === MODE.ATOMIC && imm === ATOMIC.CMPXCHG;

const randomU32 = (): number => Math.floor(Math.random() * 0x1_0000_0000) | 0;

/**
 * The machine zeroes upper halves itself, save for a compare-and-exchange that fails: that one is followed by
 * `w0 = w0` where all of r0 is used. With BPF_F_TEST_RND_HI32, other narrow definitions get random upper halves.
 * rule: opt_subreg_zext_lo32_rnd_hi32, 6.18, on an architecture that needs no zero extension
 */
export function zextAndRandomize(env: VerifierEnv): number {
  const randomize = (env.request.flags & TEST_RND_HI32) !== 0;
  const { insns, aux } = env;
  const needed = insns.some((insn, i) => (aux[i].zextDst ? isCompareExchange(insn) : randomize));
  if (!needed) return 0;

  const expansion = new Expansion(env);
  for (let i = 0; i < insns.length; i++) {
    const insn = insns[i];
    const reg = definedReg(insn);
    if (aux[i].zextDst) {
      if (isCompareExchange(insn)) expansion.replace(i, [insn, { ...movReg(reg, reg, 32), imm: ZEXT_MARK }]);
      else expansion.keep(i);
      continue;
    }
    if (!randomize || reg === -1) {
      expansion.keep(i);
    } else if (definesWide(insn)) {
      expansion.keep(i);
      if (insnClass(insn.code) === CLASS.LD && insnMode(insn.code) === MODE.IMM && i + 1 < insns.length)
        expansion.keep(++i);
    } else if (insnClass(insn.code) === CLASS.LDX && aux[i].ptrType === REG.CTX) {
      expansion.keep(i);
    } else {
      expansion.replace(i, [insn, movImm(AX, randomU32()), aluImm(ALU.LSH, AX, 32), aluReg(ALU.OR, reg, AX)]);
    }
  }
  return expansion.finish();
}
