// The opcodes that a program may contain. Rule: bpf_opcode_in_insntable, core.c, 6.18.
import { ALU, CLASS, JMP, MODE, SIZE, SRC } from '../../isa/opcode.ts';
import { BINARY, COMPARE } from '../../isa/operations.ts';

const VALID = new Uint8Array(256);

const allow = (...codes: number[]): void => {
  for (const code of codes) VALID[code] = 1;
};

const BOTH_SOURCES = [SRC.K, SRC.X];
const SIZES = [SIZE.B, SIZE.H, SIZE.W, SIZE.DW];

for (const source of BOTH_SOURCES) {
  for (const kind of [CLASS.ALU, CLASS.ALU64]) for (const op of BINARY) allow(kind | op | source);
  for (const kind of [CLASS.JMP, CLASS.JMP32]) for (const op of COMPARE) allow(kind | op | source);
}
allow(CLASS.ALU | ALU.NEG, CLASS.ALU64 | ALU.NEG);
allow(CLASS.ALU | ALU.END, CLASS.ALU | ALU.END | SRC.X, CLASS.ALU64 | ALU.END);
allow(CLASS.JMP | JMP.CALL, CLASS.JMP | JMP.EXIT, CLASS.JMP | JMP.JA, CLASS.JMP32 | JMP.JA, CLASS.JMP | JMP.JCOND);
for (const size of SIZES) {
  allow(CLASS.ST | MODE.MEM | size, CLASS.STX | MODE.MEM | size, CLASS.LDX | MODE.MEM | size);
  allow(CLASS.STX | MODE.ATOMIC | size);
}
for (const size of [SIZE.B, SIZE.H, SIZE.W]) {
  allow(CLASS.LDX | MODE.MEMSX | size);
  allow(CLASS.LD | MODE.ABS | size, CLASS.LD | MODE.IND | size);
}
allow(CLASS.LD | MODE.IMM | SIZE.DW);

export const isKnownOpcode = (code: number): boolean => VALID[code] !== 0;
