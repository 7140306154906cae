// A program as an x86-64 kernel has rewritten it, made into what an arm64 kernel would have made of it.
import { type Insn, insn, LDIMM64 } from '../../../isa/insn.ts';
import { ALU, CALL_KIND, CLASS, insnClass, insnMode, insnOp, JMP, MODE, SIZE, SRC } from '../../../isa/opcode.ts';
import { HELPER } from '../../../isa/uapi.ts';
import type { KernelImage } from '../../image/image.ts';
import { giveUp } from './give-up.ts';
import { arm64Settings } from './settings.ts';

/** BPF's hidden register. */
const AX = 11;
const CALL = CLASS.JMP | JMP.CALL;
const MOVE = CLASS.ALU64 | ALU.MOV;

/** Helpers that the arm64 emitter does itself, by the kernel function that x86-64 calls. */
const INLINED: Readonly<Record<string, number>> = {
  bpf_get_smp_processor_id: HELPER.get_smp_processor_id,
  bpf_get_current_task: HELPER.get_current_task,
  bpf_get_current_task_btf: HELPER.get_current_task_btf,
};

/** What stands for one or more instructions. */
interface Replacement {
  /** Number of instructions replaced. */
  taken: number;
  insns: Insn[];
}

type Rule = (insns: readonly Insn[], i: number) => Replacement | undefined;

const helperCall = (imm: number): Insn => insn(CALL, 0, CALL_KIND.HELPER, 0, imm);

/** x86-64 reads the number of the processor from per-CPU memory in three instructions. rule: do_misc_fixups, 6.18 */
function processorId(image: KernelImage): Rule {
  const variable = Number(BigInt.asIntN(32, image.symbolAddress('cpu_number') ?? 0n));
  const inlined = [
    insn(MOVE | SRC.K, 0, 0, 0, variable),
    insn(MOVE | SRC.X, 0, 0, -1),
    insn(CLASS.LDX | MODE.MEM | SIZE.W, 0, 0),
  ];
  const isSame = (a: Insn, b: Insn | undefined): boolean =>
    b !== undefined && a.code === b.code && a.dst === b.dst && a.src === b.src && a.off === b.off && a.imm === b.imm;
  return (insns, i) =>
    variable !== 0 && inlined.every((x, k) => isSame(x, insns[i + k]))
      ? { taken: inlined.length, insns: [helperCall(HELPER.get_smp_processor_id)] }
      : undefined;
}

/** rule: bpf_jit_inlines_helper_call, 6.18 */
function inlinedHelper(image: KernelImage): Rule {
  const base = image.symbolAddress('__bpf_call_base') ?? 0n;
  const byDistance = new Map<number, number>();
  for (const [symbol, helper] of Object.entries(INLINED)) {
    const address = image.symbolAddress(symbol);
    if (address !== undefined) byDistance.set(Number(BigInt.asIntN(32, address - base)), helper);
  }
  return (insns, i) => {
    const { code, src, imm } = insns[i];
    const helper = code === CALL && src === CALL_KIND.HELPER ? byDistance.get(imm) : undefined;
    return helper === undefined ? undefined : { taken: 1, insns: [helperCall(helper)] };
  };
}

/**
 * Loads through kernel pointers must not reach user space: x86-64 sees to that in machine code, arm64 in instructions
 * of its own. rule: do_misc_fixups, bpf_arch_uaddress_limit, 6.18
 */
function guardedLoad(image: KernelImage): Rule {
  const limit = 2 ** (arm64Settings(image).addressBits - 32);
  return (insns, i) => {
    const load = insns[i];
    const mode = insnMode(load.code);
    if (insnClass(load.code) !== CLASS.LDX || (mode !== MODE.PROBE_MEM && mode !== MODE.PROBE_MEMSX)) return undefined;
    const guard = [
      insn(MOVE | SRC.X, AX, load.src),
      ...(load.off ? [insn(CLASS.ALU64 | ALU.ADD, AX, 0, 0, load.off)] : []),
      insn(CLASS.ALU64 | ALU.RSH, AX, 0, 0, 32),
      insn(CLASS.JMP | JMP.JLE, AX, 0, 2, limit),
    ];
    return {
      taken: 1,
      insns: [...guard, { ...load }, insn(CLASS.JMP | JMP.JA, 0, 0, 1), insn(MOVE | SRC.K, load.dst)],
    };
  };
}

export interface Converted {
  insns: Insn[];
  /** Index where what stands for instruction i begins; one entry more for the end. */
  firstSlots: number[];
}

/**
 * One function with the differences between the two architectures undone that the rewriting makes: inlined helpers and
 * the guards of loads through kernel pointers. Everything else that the rewriting does is the same on both, except for
 * barriers against Spectre v4 in programs of unprivileged users, which arm64 leaves out and which stay here. Throws
 * SysError ENOTSUPP where a jump no longer reaches.
 */
export function convertFromX86(source: readonly Insn[], image: KernelImage): Converted {
  const rules = [processorId(image), inlinedHelper(image), guardedLoad(image)];
  const insns: Insn[] = [];
  const firstSlots: number[] = [];
  const jumps: { at: number; from: number }[] = [];
  for (let i = 0; i < source.length; i++) {
    if (source[i].code === LDIMM64 && i + 1 < source.length) {
      for (const half of [source[i++], source[i]]) firstSlots.push(insns.push({ ...half }) - 1);
      continue;
    }
    const found = firstOf(rules, source, i) ?? { taken: 1, insns: [{ ...source[i] }] };
    for (let k = 0; k < found.taken; k++) firstSlots.push(insns.length);
    if (isJump(source[i])) jumps.push({ at: insns.length, from: i });
    insns.push(...found.insns);
    i += found.taken - 1;
  }
  firstSlots.push(insns.length);
  for (const { at, from } of jumps) aim(insns[at], at, from, firstSlots);
  return { insns, firstSlots };
}

function firstOf(rules: readonly Rule[], source: readonly Insn[], i: number): Replacement | undefined {
  for (const rule of rules) {
    const found = rule(source, i);
    if (found) return found;
  }
  return undefined;
}

const NO_TARGET: ReadonlySet<number> = new Set([JMP.CALL, JMP.EXIT, JMP.TAIL_CALL]);
const isJump = ({ code }: Insn): boolean =>
  insnClass(code) === CLASS.JMP32 || (insnClass(code) === CLASS.JMP && !NO_TARGET.has(insnOp(code)));

/** Corrects the distance of a jump that stood at `from` and stands at `at`. */
function aim(jump: Insn, at: number, from: number, firstSlots: readonly number[]): void {
  const field = jump.code === (CLASS.JMP32 | JMP.JA) ? 'imm' : 'off';
  const target = firstSlots[from + 1 + jump[field]];
  if (target === undefined) throw giveUp('a jump leaves the function');
  const distance = target - at - 1;
  if (field === 'off' && distance !== (distance << 16) >> 16) throw giveUp('a jump is out of reach');
  jump[field] = distance;
}
