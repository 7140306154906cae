import { describe, expect, it } from 'vitest';
import { type Insn, insn } from '../../isa/insn.ts';
import { ALU, CLASS, SRC } from '../../isa/opcode.ts';
import type { KMap } from '../objects.ts';
import { checkAluOp } from './alu.ts';
import { ALU_STATE, pushSpeculativePath, sanitizeMarkInsnSeen } from './speculation.ts';
import { constReg, testEnv, unknownReg } from './test-env.ts';
import { FLAG, REG, type RegState } from './types.ts';

const value = (off = 0): RegState => {
  const reg = Object.assign(constReg(0n), { type: REG.MAP_VALUE });
  reg.map = { valueSize: 64, type: 1 } as KMap;
  reg.off = off;
  return reg;
};

/** 0..15 */
const nibble = (): RegState =>
  Object.assign(unknownReg(), {
    smin: 0n,
    smax: 15n,
    umax: 15n,
    s32min: 0,
    s32max: 15,
    u32max: 15,
    varOff: { value: 0n, mask: 15n },
  });

const add = insn(CLASS.ALU64 | ALU.ADD | SRC.X, 1, 2);
const sub = insn(CLASS.ALU64 | ALU.SUB | SRC.X, 1, 2);

/** `r1 op= r2` of a program without CAP_PERFMON. */
function run(at: Insn, r1: RegState, r2: RegState) {
  const env = testEnv({ insns: [at, insn(0x95)], level: 1, unprivileged: true });
  env.regs[1].copy(r1);
  env.regs[2].copy(r2);
  const err = checkAluOp(env, at);
  return { err, env, aux: env.aux[0], log: env.log.text() };
}

describe('masking of pointer arithmetic', () => {
  it('a value moved by a bounded number is masked to how far it moved', () => {
    const { err, aux, env } = run(add, value(8), nibble());
    expect([err, aux.aluState, aux.aluLimit]).toEqual([0, ALU_STATE.SANITIZE_SRC, 15]);
    expect(env.exploreAluLimits).toBe(true);
  });

  it('the path where the mask hits starts behind the instruction with the pointer itself', () => {
    const { env } = run(add, value(8), nibble());
    expect(env.pending.length).toBe(1);
    const { state, insnIdx } = env.pending[0];
    expect([insnIdx, state.speculative]).toEqual([1, true]);
    expect(state.cur.regs[1]).toMatchObject({ type: REG.MAP_VALUE, off: 8, umax: 0n });
  });

  it('a number to which a pointer is added is replaced by the pointer on that path', () => {
    const { env, aux } = run(add, nibble(), value(8));
    expect(aux.aluState).toBe(ALU_STATE.SANITIZE_DST);
    expect(env.pending[0].state.cur.regs[1]).toMatchObject({ type: REG.MAP_VALUE, off: 8, umax: 0n });
    expect(env.regs[1]).toMatchObject({ type: REG.MAP_VALUE, off: 8, umax: 15n });
  });

  it('moving back by an unknown number loses the upper bound and is refused', () => {
    const { err, log } = run(sub, value(40), nibble());
    expect([err, log]).toEqual([
      -13,
      'R1 unbounded memory access, make sure to bounds check any such access\n' +
        'R1 pointer arithmetic of map value goes out of range, prohibited for !root\n',
    ]);
  });

  it('moving back by a known number is masked from the left', () => {
    const { err, aux } = run(sub, value(40), constReg(8n));
    expect([err, aux.aluState, aux.aluLimit]).toEqual([0, ALU_STATE.SANITIZE_SRC | ALU_STATE.IMMEDIATE, 8]);
  });

  it('a known offset needs no simulation', () => {
    const { env, aux } = run(add, value(8), constReg(4n));
    expect(env.pending).toEqual([]);
    expect(aux.aluState).toBe(ALU_STATE.SANITIZE_SRC | ALU_STATE.IMMEDIATE);
    expect(env.exploreAluLimits).toBe(false);
  });

  it('an instruction with a barrier, or with an immediate, is not masked', () => {
    const at = insn(CLASS.ALU64 | ALU.ADD, 1, 0, 0, 4);
    expect(run(at, value(), unknownReg()).aux.aluState).toBe(0);
    const env = testEnv({ insns: [add, insn(0x95)], level: 1, unprivileged: true });
    env.aux[0].nospec = true;
    env.regs[1].copy(value());
    env.regs[2].copy(nibble());
    expect(checkAluOp(env, add)).toBe(0);
    expect([env.aux[0].aluState, env.pending.length]).toEqual([0, 0]);
  });

  it('a program that need not fear Spectre masks nothing', () => {
    const env = testEnv({ insns: [add, insn(0x95)] });
    env.regs[1].copy(value());
    env.regs[2].copy(nibble());
    expect(checkAluOp(env, add)).toBe(0);
    expect([env.aux[0].aluState, env.pending.length]).toEqual([0, 0]);
  });

  it('an addition of numbers is recorded, and must not be one of pointers elsewhere', () => {
    const { aux, env } = run(add, nibble(), constReg(3n));
    expect(aux.aluState).toBe(ALU_STATE.NON_POINTER);
    env.regs[1].copy(value());
    env.regs[2].copy(nibble());
    expect(checkAluOp(env, add)).toBe(-13);
    expect(env.log.text()).toBe(
      'R1 tried to add from different maps, paths or scalars, pointer arithmetic with it prohibited for !root\n',
    );
  });

  const mixed = Object.assign(nibble(), { smin: -1n });
  const refused: [string, Insn, RegState, RegState, string][] = [
    ['mixed signs', add, value(8), mixed, 'R2 has unknown scalar with mixed signed bounds, '],
    [
      'a pointer of another kind',
      add,
      Object.assign(constReg(0n), { type: REG.CTX }),
      nibble(),
      'R1 has pointer with unsupported alu operation, ',
    ],
    ['a value already out of bounds', add, value(64), nibble(), 'R1 tried to add beyond pointer bounds, '],
  ];
  it.each(refused)('refuses %s', (_name, at, r1, r2, message) => {
    const { err, log } = run(at, r1, r2);
    expect([err, log]).toEqual([-13, `${message}pointer arithmetic with it prohibited for !root\n`]);
  });

  it('the stack is left by no arithmetic', () => {
    const env = testEnv({ insns: [insn(0x07, 1, 0, 0, 8)], level: 1, unprivileged: true });
    env.regs[1].copy(env.regs[10]);
    expect(checkAluOp(env, env.insns[0])).toBe(-13);
    expect(env.log.text()).toBe('R1 stack pointer arithmetic goes out of range, prohibited for !root; off=8\n');
  });
});

describe('wrong paths', () => {
  it('operands of a comparison are unknown there', () => {
    const env = testEnv({ insns: [insn(0x1d, 1, 2)], level: 1, unprivileged: true });
    env.regs[1].copy(constReg(1n));
    env.regs[2].copy(constReg(2n));
    const state = pushSpeculativePath(env, env.insns[0], 3, 0);
    expect([1, 2].map((i) => state?.cur.regs[i].varOff.mask)).toEqual([0xffffffffffffffffn, 0xffffffffffffffffn]);
    expect([env.regs[1].umax, env.regs[2].umax]).toEqual([1n, 2n]);
  });

  it('do not count as reaching an instruction', () => {
    const env = testEnv({ insns: [insn(0x95)] });
    env.state.speculative = true;
    sanitizeMarkInsnSeen(env);
    expect(env.aux[0].seen).toBe(0);
    env.state.speculative = false;
    sanitizeMarkInsnSeen(env);
    expect(env.aux[0].seen).toBe(1);
  });

  it('NULL checks come before masking', () => {
    const maybe = value();
    maybe.type |= FLAG.MAYBE_NULL;
    expect(run(add, maybe, nibble()).log).toBe(
      'R1 pointer arithmetic on map_value_or_null prohibited, null-check it first\n',
    );
  });
});
