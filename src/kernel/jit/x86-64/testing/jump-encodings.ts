// Jumps over every distance that matters, and calls.
import { type Insn, insn, LDIMM64 } from '../../../../isa/insn.ts';
import { ALU, CALL_KIND, CLASS, JMP, PSEUDO, SRC } from '../../../../isa/opcode.ts';
import type { JitFunctionInput, JitInput } from '../../jit.ts';
import { ARENA, type EncodingCase, EXIT, functionOf, IMMEDIATES, programOf, REGISTERS } from './encodings.ts';
import { RETURN_THUNKS, type TestSettings } from './test-image.ts';

export const CONDITIONS = Object.entries(JMP).filter(([name]) => name[0] === 'J' && name !== 'JA' && name !== 'JCOND');
const KINDS = [
  ['jmp64', CLASS.JMP],
  ['jmp32', CLASS.JMP32],
] as const;
/** Bytes between a jump and where it goes, or from there back to it: around where one byte is too short, and far away. */
const DISTANCES = [0, 2, 3, 100, ...Array.from({ length: 16 }, (_, i) => 115 + i), 300];

/** Instructions with machine code of exactly this many bytes (not one byte): 10, 3 and 2 at a time. */
function filling(bytes: number): Insn[] {
  const insns: Insn[] = [];
  let left = bytes;
  for (; left >= 14; left -= 10) insns.push(insn(LDIMM64, 0, 0, 0, 1), insn(0, 0, 0, 0, 1));
  if (left % 2) {
    insns.push(insn(CLASS.ALU64 | ALU.NEG));
    left -= 3;
  }
  for (; left > 0; left -= 2) insns.push(insn(CLASS.ALU | ALU.MOV | SRC.X));
  return insns;
}

/** A jump over fillings in one function, forward and backward; `make` takes the offset. */
function distances(group: string, make: (off: number) => Insn): EncodingCase[] {
  return DISTANCES.flatMap((bytes) => {
    const fill = filling(bytes);
    const forward = [make(fill.length), ...fill, EXIT];
    const back = [...fill, make(-fill.length - 1), EXIT];
    return [forward, back].map((insns) => ({ group, program: programOf([functionOf(insns)]) }));
  });
}

export function jumpCases(): EncodingCase[] {
  const cases: EncodingCase[] = [
    ...distances('JA', (off) => insn(CLASS.JMP | JMP.JA, 0, 0, off)),
    ...distances('JA long', (off) => insn(CLASS.JMP32 | JMP.JA, 0, 0, 0, off)),
    ...distances('EXIT', () => EXIT),
  ];
  for (const [name, kind] of KINDS) {
    for (const [condition, op] of CONDITIONS) {
      const group = `${name} ${condition}`;
      cases.push(...distances(`${group} K distance`, (off) => insn(kind | op | SRC.K, 7, 0, off, 1000)));
      cases.push(...distances(`${group} X distance`, (off) => insn(kind | op | SRC.X, 1, 2, off)));
      const immediate = REGISTERS.flatMap((dst) => IMMEDIATES.map((imm) => insn(kind | op | SRC.K, dst, 0, 0, imm)));
      const register = REGISTERS.flatMap((dst) => REGISTERS.map((src) => insn(kind | op | SRC.X, dst, src, 0)));
      for (const [suffix, insns] of [
        ['K', immediate],
        ['X', register],
      ] as const) {
        cases.push({ group: `${group} ${suffix}`, program: programOf([functionOf([...insns, EXIT])]) });
      }
    }
  }
  return cases;
}

const call = (imm: number): Insn => insn(CLASS.JMP | JMP.CALL, 0, 0, 0, imm);
const CALL_DISTANCES = [1, -1, 127, 128, -129, 0x1000, 0x40, 0x3fffffff - 0x1000, -0x100000];
const TAIL_CALL = insn(CLASS.JMP | JMP.TAIL_CALL);

const callee = (): JitFunctionInput => functionOf([EXIT], { isSubprog: true });

/** Helpers, functions and their addresses, with each way of keeping a frame. */
export function callCases(): EncodingCase[] {
  const cases: EncodingCase[] = [];
  for (const callDepthTracking of [false, true]) {
    for (const privateStack of [false, true]) {
      const settings = { callDepthTracking };
      const group = `call${privateStack ? ' on a private stack' : ''}${callDepthTracking ? ' counted' : ''}`;
      const helpers = functionOf([...CALL_DISTANCES.map(call), EXIT], { privateStack });
      cases.push({ group, program: programOf([helpers], settings) });
      for (const tailCallReachable of privateStack ? [false] : [false, true]) {
        const main = [
          insn(CLASS.JMP | JMP.CALL, 0, CALL_KIND.PSEUDO, 1, 1),
          insn(LDIMM64, 1, PSEUDO.FUNC, 1, 0),
          insn(0, 0, 0, 0, 0),
          insn(CLASS.JMP | JMP.CALL, 0, CALL_KIND.PSEUDO, 2, 1),
          EXIT,
        ];
        const first = functionOf(main, { privateStack, tailCallReachable });
        const rest = [callee(), callee()].map((f) => ({ ...f, tailCallReachable }));
        cases.push({ group: `${group} functions`, program: programOf([first, ...rest], settings) });
      }
    }
  }
  cases.push({ group: 'call refused', program: programOf([functionOf([call(0), EXIT])]) });
  return cases;
}

/** Which registers a function mentions, and so saves. */
const MENTIONS: readonly (readonly number[])[] = [[], [6], [7, 9], [6, 7, 8, 9], [10]];
const DEPTHS = [0, 1, 8, 512];

/** Of the mitigations only those that change how a function begins, ends and jumps. */
function* allSettings(): Generator<TestSettings> {
  const no = [false, true];
  for (const ibt of no)
    for (const sls of no)
      for (const its of no)
        for (const callDepthTracking of no)
          for (const builtWithRetpoline of no)
            for (const retpoline of ['none', 'generic', 'amd'] as const)
              for (const returnThunk of [undefined, RETURN_THUNKS[3]])
                yield { ibt, sls, its, callDepthTracking, builtWithRetpoline, retpoline, returnThunk };
}

const nameOf = (words: Record<string, unknown>): string =>
  Object.entries(words)
    .filter(([, value]) => value !== false && value !== undefined)
    .map(([name, value]) => (value === true ? name : `${name} ${value}`))
    .join(', ');

/** Prologues, epilogues and tail calls of each flavour of function under each setting. */
export function frameCases(): EncodingCase[] {
  const cases: EncodingCase[] = [];
  const add = (of: Partial<JitFunctionInput>, settings: TestSettings, more: Partial<JitInput> = {}): void => {
    const group = `frame: ${nameOf({ ...of, ...(more.arena && { arena: true }), ...(more.classic && { classic: true }) })}`;
    for (const registers of MENTIONS) {
      for (const stackDepth of DEPTHS) {
        const uses = registers.map((r) => insn(CLASS.ALU64 | ALU.MOV | SRC.X, 0, r));
        const tail = of.tailCallReachable ? [TAIL_CALL, insn(CLASS.JMP | JMP.TAIL_CALL, 0, 0, 0, 1), TAIL_CALL] : [];
        const pokeTable = of.tailCallReachable ? [{ target: undefined }] : undefined;
        const insns = [...uses, ...tail, EXIT, ...uses, EXIT];
        const program = programOf([functionOf(insns, { ...of, stackDepth })], settings, { ...more, pokeTable });
        cases.push({ group, program });
      }
    }
  };
  for (const tailCallReachable of [false, true]) {
    for (const ibt of [false, true]) {
      for (const isSubprog of [false, true]) {
        add({ tailCallReachable, isSubprog }, { ibt });
        add({ tailCallReachable, isSubprog }, { ibt }, { arena: ARENA });
        add({ tailCallReachable, isSubprog, exceptionBoundary: true }, { ibt });
      }
      add({ tailCallReachable, isSubprog: true, exceptionCallback: true }, { ibt });
    }
  }
  for (const ibt of [false, true]) {
    add({ privateStack: true }, { ibt });
    add({ privateStack: true, isSubprog: true }, { ibt });
    for (const clearBranchHistory of [false, true]) {
      for (const clearBhb of [false, true]) {
        for (const ibhf of [false, true]) {
          for (const callDepthTracking of [false, true]) {
            add({}, { ibt, clearBhb, ibhf, callDepthTracking }, { classic: true, clearBranchHistory });
          }
        }
      }
    }
  }
  for (const settings of allSettings()) {
    const insns = [insn(CLASS.ALU64 | ALU.MOV | SRC.X, 6, 8), TAIL_CALL, call(0x1000), EXIT];
    const main = functionOf(insns, { tailCallReachable: true });
    cases.push({ group: `settings: ${nameOf(settings)}`, program: programOf([main], settings) });
  }
  for (const returnThunk of RETURN_THUNKS) {
    cases.push({ group: 'return thunks', program: programOf([functionOf([EXIT])], { returnThunk }) });
  }
  return cases;
}
