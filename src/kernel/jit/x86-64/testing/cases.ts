// All cases whose machine code is captured, and those whose constants are blinded.
import { encodeInsns, type Insn, insn, LDIMM64 } from '../../../../isa/insn.ts';
import { CLASS, insnClass, insnOp, JMP, SRC } from '../../../../isa/opcode.ts';
import { blindConstants } from '../../blinding.ts';
import type { JitInput } from '../../jit.ts';
import { type EncodingCase, EXIT, functionOf, instructionCases, programOf } from './encodings.ts';
import { CONDITIONS, callCases, frameCases, jumpCases } from './jump-encodings.ts';

const FRAME = 10;

/** With a private stack the frame pointer is r9: all that names it once more. */
const privateStackCases = (): EncodingCase[] =>
  instructionCases()
    .filter(({ group }) => !/LD_IMM64|refused|LA57/.test(group))
    .flatMap(({ group, program }) => {
      const insns = program.functions[0].insns.filter(({ dst, src }) => dst === FRAME || src === FRAME);
      if (insns.length === 0) return [];
      const functions = [functionOf([...insns, EXIT], { privateStack: true })];
      return [{ group: `${group} on a private stack`, program: { ...program, functions } }];
    });

export const encodingCases = (): EncodingCase[] => [
  ...instructionCases(),
  ...privateStackCases(),
  ...jumpCases(),
  ...callCases(),
  ...frameCases(),
];

/** Every constant is blinded with this key. */
export const BLINDING_KEY = 0x9abc1234;

const isCall = (x: Insn): boolean => insnClass(x.code) === CLASS.JMP && insnOp(x.code) === JMP.CALL;

const HIDDEN = 11;

/** No rewrite puts a 64-bit constant into the hidden register, which blinding itself needs. */
const withoutHiddenConstants = (program: JitInput): JitInput => {
  const kept = program.functions[0].insns.filter(
    (x, i, all) =>
      !(x.code === LDIMM64 && x.dst === HIDDEN) && !(all[i - 1]?.code === LDIMM64 && all[i - 1].dst === HIDDEN),
  );
  return { ...program, functions: [functionOf(kept)] };
};

/** Programs without jumps over others, since those would have to be adjusted; and jumps to themselves. */
export function blindedCases(): EncodingCase[] {
  const straight = [...instructionCases(), ...jumpCases().filter(({ group }) => !group.endsWith('distance'))];
  const back = [CLASS.JMP, CLASS.JMP32].flatMap((kind) =>
    CONDITIONS.flatMap(([, op]) =>
      [SRC.K, SRC.X].map((source) => ({
        group: 'jumps to themselves',
        program: programOf([functionOf([insn(kind | op | source, 3, 4, -1, 99), EXIT])]),
      })),
    ),
  );
  const seen = straight.filter(({ group, program }) => {
    const { insns } = program.functions[0];
    return !/BMI2|LA57|refused|^JA|^EXIT/.test(group) && !insns.some(isCall);
  });
  const kept = seen.map(({ group, program }) => ({ group, program: withoutHiddenConstants(program) }));
  return [...kept, ...back];
}

/** Blinded instructions in hexadecimal. */
export function blindedHex({ functions }: JitInput): string {
  const { insns } = blindConstants(functions[0].insns, () => BLINDING_KEY);
  return Buffer.from(encodeInsns(insns)).toString('hex');
}
