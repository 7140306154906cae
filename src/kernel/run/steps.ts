// How the families of instructions are entered into one table.
import type { Insn } from '../../isa/insn.ts';
import type { Step } from './machine.ts';

/** The step for an instruction of one opcode: which, may depend on its other fields; undefined: there is none. */
export type StepOf = (insn: Insn) => Step | undefined;

/** Steps by opcode. */
export type StepTable = Map<number, StepOf>;

/** The lower half becomes the value, the upper 0. */
export function setLow(halves: Uint32Array, reg: number, value: number): void {
  halves[reg * 2] = value;
  halves[reg * 2 + 1] = 0;
}
