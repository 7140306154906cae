// Helpers that the program does itself.
import { ERRNO } from '../../../errno.ts';
import { type Insn, insn } from '../../../isa/insn.ts';
import { ALU, ATOMIC, CLASS, JMP, MODE, SIZE } from '../../../isa/opcode.ts';
import { ATTACH_TYPE, type HelperName, PROG_TYPE } from '../../../isa/uapi.ts';
import type { VerifierEnv } from '../../verifier/env.ts';
import { callDistance } from '../address.ts';
import {
  aluImm,
  aluReg,
  call,
  goto,
  jumpImm,
  jumpReg,
  load,
  loadImm64,
  movImm,
  movPerCpu,
  movReg,
  store,
} from '../build.ts';

/** sizeof(struct perf_branch_entry) */
const BRANCH_ENTRY_BYTES = 24;
/** Size times this, shifted by 36, is size / 24. */
const DIVIDE_BY_24 = 0xaaaaaaab;

/** What takes a snapshot of branches: the static call's target on a machine that cannot. */
const BRANCH_SNAPSHOT = '__static_call_return0';

/** What stands before the context of a traced function: number of arguments, address of the function. */
const ARG_COUNT = -8;
const FUNC_ADDRESS = -16;

const jiffies = (env: VerifierEnv): Insn[] => [
  ...loadImm64(0, env.image.symbolAddress('jiffies') ?? 0n),
  load(SIZE.DW, 0, 0, 0),
];

const cpuNumber = (env: VerifierEnv): Insn[] => [
  movImm(0, Number(BigInt.asIntN(32, env.image.symbolAddress('cpu_number') ?? 0n))),
  movPerCpu(0, 0),
  load(SIZE.W, 0, 0, 0),
];

const funcArg = (): Insn[] => [
  load(SIZE.DW, 0, 1, ARG_COUNT),
  jumpReg(JMP.JGE, 2, 0, 6, 32),
  aluImm(ALU.LSH, 2, 3),
  aluReg(ALU.ADD, 2, 1),
  load(SIZE.DW, 0, 2, 0),
  store(SIZE.DW, 3, 0, 0),
  movImm(0, 0),
  goto(1),
  movImm(0, -ERRNO.EINVAL),
];

function funcRet(env: VerifierEnv): Insn[] {
  const { expectedAttachType: type } = env;
  if (type !== ATTACH_TYPE.trace_fexit && type !== ATTACH_TYPE.modify_return) return [movImm(0, -ERRNO.EOPNOTSUPP)];
  return [
    load(SIZE.DW, 0, 1, ARG_COUNT),
    aluImm(ALU.LSH, 0, 3),
    aluReg(ALU.ADD, 0, 1),
    load(SIZE.DW, 3, 0, 0),
    store(SIZE.DW, 2, 3, 0),
    movImm(0, 0),
  ];
}

const branchSnapshot = (env: VerifierEnv): Insn[] => [
  jumpImm(JMP.JNE, 3, 0, 7),
  movImm(0, DIVIDE_BY_24, 32),
  aluReg(ALU.MUL, 2, 0),
  aluImm(ALU.RSH, 2, 36),
  call(callDistance(env.image, BRANCH_SNAPSHOT)),
  jumpImm(JMP.JEQ, 0, 0, 4),
  aluImm(ALU.MUL, 0, BRANCH_ENTRY_BYTES, 32),
  goto(3),
  movImm(0, -ERRNO.EINVAL),
  goto(1),
  movImm(0, -ERRNO.ENOENT),
];

const exchangePointer = (): Insn[] => [movReg(0, 2), insn(CLASS.STX | MODE.ATOMIC | SIZE.DW, 1, 0, 0, ATOMIC.XCHG)];

type InlineBuilder = (env: VerifierEnv) => Insn[];

/** rule: do_misc_fixups, 6.18 */
const INLINE: Readonly<Partial<Record<HelperName, InlineBuilder>>> = {
  jiffies64: jiffies,
  get_smp_processor_id: cpuNumber,
  get_branch_snapshot: branchSnapshot,
  kptr_xchg: exchangePointer,
};

/** The same, in tracing programs only. */
const INLINE_TRACING: Readonly<Partial<Record<HelperName, InlineBuilder>>> = {
  get_func_arg: funcArg,
  get_func_ret: funcRet,
  get_func_arg_cnt: () => [load(SIZE.DW, 0, 1, ARG_COUNT)],
  get_func_ip: () => [load(SIZE.DW, 0, 1, FUNC_ADDRESS)],
};

/** The helper's work in place of the call; undefined where it is called. */
export function inlineHelper(env: VerifierEnv, name: HelperName): Insn[] | undefined {
  const builder = INLINE[name] ?? (env.progType === PROG_TYPE.tracing ? INLINE_TRACING[name] : undefined);
  return builder?.(env);
}
