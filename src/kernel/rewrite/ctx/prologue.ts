// What runs before a program that writes to packet data: a packet shared with others is made private first.
import type { Insn } from '../../../isa/insn.ts';
import { ALU, JMP, SIZE } from '../../../isa/opcode.ts';
import { HELPER } from '../../../isa/uapi.ts';
import type { KernelImage } from '../../image/image.ts';
import { aluImm, aluReg, call, exit, jumpImm, load, movImm, movReg } from '../build.ts';
import { structField } from './struct-field.ts';

const CLONED_MASK = 1;
/** Verdicts that drop a packet. */
export const TC_ACT_SHOT = 2;
export const SK_DROP = 0;

/**
 * The prologue without the program's first instruction; `drop` is what the program returns if it cannot get a private
 * copy. The helper is called by its number.
 * rule: bpf_unclone_prologue, 6.18
 */
export function unclonePrologue(image: KernelImage, drop: number): Insn[] {
  return [
    load(SIZE.B, 6, 1, structField(image, 'sk_buff.__cloned_offset').off),
    aluImm(ALU.AND, 6, CLONED_MASK, 32),
    jumpImm(JMP.JEQ, 6, 0, 7),
    movReg(6, 1),
    aluReg(ALU.XOR, 2, 2),
    call(HELPER.skb_pull_data),
    jumpImm(JMP.JEQ, 0, 0, 2),
    movImm(0, drop, 32),
    exit(),
    movReg(1, 6),
  ];
}
