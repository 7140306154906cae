// Generated programs on generated machines: they need not make sense, only be encoded.
import type { Insn } from '../../../../isa/insn.ts';
import { CALL_KIND, CLASS, insnClass, insnMode, insnSize, JMP, MODE } from '../../../../isa/opcode.ts';
import { Random } from '../../arm64/testing/random.ts';
import { randomProgram as randomFunctions } from '../../arm64/testing/random-program.ts';
import type { JitInput } from '../../jit.ts';
import { isRefusedAtomic } from './encodings.ts';
import { RETURN_THUNKS, testImage } from './test-image.ts';

const FIRST_UNCLEARED = 10;

/** Most programs should be compiled: what Linux always refuses becomes something alike. */
function acceptable(x: Insn): Insn {
  const kind = insnClass(x.code);
  const mode = insnMode(x.code);
  if (kind === CLASS.LDX && (mode === MODE.PROBE_MEM || mode === MODE.PROBE_MEMSX) && x.dst >= FIRST_UNCLEARED) {
    return { ...x, dst: x.dst - 4 };
  }
  if (kind === CLASS.STX && mode >= MODE.ATOMIC && isRefusedAtomic(mode, insnSize(x.code), x.imm)) {
    return { ...x, imm: x.imm & 0xf0 };
  }
  // Code of the kernel begins after the base of calls.
  if (x.code === (CLASS.JMP | JMP.CALL) && x.src === CALL_KIND.HELPER) return { ...x, imm: Math.abs(x.imm) };
  return x;
}

/** The program of a seed, for the machine of that seed. */
export function randomProgram(seed: number): JitInput {
  const random = new Random(seed + 0x5eed);
  const flag = (): boolean => random.oneIn(2);
  const { functions, arena, classic, clearBranchHistory } = randomFunctions(seed);
  const settings = {
    bmi2: flag(),
    retpoline: random.pick(['none', 'generic', 'amd'] as const),
    returnThunk: random.pick([undefined, undefined, ...RETURN_THUNKS]),
    sls: flag(),
    ibt: flag(),
    callDepthTracking: random.oneIn(3),
    its: random.oneIn(3),
    clearBhb: flag(),
    ibhf: flag(),
    la57: flag(),
    builtWithRetpoline: flag(),
  };
  return {
    functions: functions.map((f) => ({ ...f, insns: f.insns.map(acceptable) })),
    image: testImage(settings),
    arena,
    classic,
    clearBranchHistory,
  };
}
