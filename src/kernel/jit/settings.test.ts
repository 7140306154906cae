import { describe, expect, it } from 'vitest';
import type { Insn } from '../../isa/insn.ts';
import { insn } from '../../isa/insn.ts';
import type { CpuSettings } from '../image/image.ts';
import { fixtureImage, PLAIN_CPU, plainFunction } from './fixture.ts';
import type { JitFunctionInput, JitInput } from './jit.ts';
import { jitProgram } from './jit.ts';

const PLAIN: CpuSettings = { ...PLAIN_CPU, bmi2: false };
const BASE = 0xffffffffc0000000n;
const SYMBOLS = {
  __bpf_call_base: '0xffffffff81000000',
  srso_alias_return_thunk: '0xffffffff81200000',
  __x86_indirect_thunk_rcx: '0xffffffff81300000',
  __x86_indirect_jump_thunk_rcx: '0xffffffff81300100',
  __x86_indirect_its_thunk_rcx: '0xffffffff81300200',
  __x86_call_depth: '0xffffffff82000000',
  clear_bhb_loop: '0xffffffff81400000',
};
const EXIT = insn(0x95);
const RETURN_0 = [insn(0xb7, 0), EXIT];

const code = (
  insns: readonly Insn[],
  cpu: Partial<CpuSettings> = {},
  of: Partial<JitFunctionInput> = {},
  program: Partial<JitInput> = {},
): string => {
  const image = fixtureImage({ release: '6.18', cpu: { ...PLAIN, ...cpu }, symbols: SYMBOLS });
  const [output] = jitProgram({ image, functions: [plainFunction(insns, of)], allocate: () => BASE, ...program });
  return Buffer.from(output.bytes).toString('hex');
};

const HEAD = '0f1f4400000f1f00554889e5';
const rel32 = (target: bigint, end: number): string => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(Number(BigInt.asIntN(32, target - BASE - BigInt(end))));
  return bytes.toString('hex');
};

describe('the processor settings', () => {
  it('choose how a function returns', () => {
    expect(code(RETURN_0)).toBe(`${HEAD}31c0c9c3`);
    expect(code(RETURN_0, { sls: true })).toBe(`${HEAD}31c0c9c3cc`);
    expect(code(RETURN_0, { returnThunk: 'srso_alias_return_thunk', sls: true })).toBe(
      `${HEAD}31c0c9e9${rel32(0xffffffff81200000n, 20)}`,
    );
  });

  it('put endbr64 at the entry and where tail calls enter', () => {
    expect(code(RETURN_0, { ibt: true })).toBe('f30f1efa0f1f4400000f1f00554889e5f30f1efa31c0c9c3');
  });

  it('choose how a tail call jumps, and how much of the target it skips', () => {
    const tail = [insn(0xf5), ...RETURN_0];
    const end = (cpu: Partial<CpuSettings>): string => code(tail, cpu, { tailCallReachable: true }).slice(-44);
    expect(end({})).toContain('488b49484883c10cffe1cc31c0c9c3');
    expect(end({ ibt: true })).toContain('4883c110ffe1cc');
    expect(end({ retpoline: 'amd' })).toContain('4883c10c0faee8ffe131c0');
    expect(end({ retpoline: 'generic' })).toMatch(/4883c10ce9.{8}31c0c9c3$/);
  });

  it('choose how much of the target a constant tail call skips', () => {
    const target = 0xffffffffc0100000n;
    const jump = (ibt: boolean): bigint => {
      const tail = [insn(0xf5, 0, 0, 0, 1), ...RETURN_0];
      const text = code(tail, { ibt }, { tailCallReachable: true }, { pokeTable: [{ target }] });
      // pop rax; pop rax; jmp
      const at = text.indexOf('5858e9') / 2 + 3;
      return BASE + BigInt(at + 4 + Buffer.from(text, 'hex').readInt32LE(at)) - target;
    };
    expect(jump(false)).toBe(12n);
    expect(jump(true)).toBe(16n);
  });

  it('choose the thunk of a tail call', () => {
    const jump = (cpu: Partial<CpuSettings>): bigint => {
      const bytes = Buffer.from(code([insn(0xf5), ...RETURN_0], cpu, { tailCallReachable: true }), 'hex');
      const at = bytes.indexOf(Buffer.from('4883c10ce9', 'hex')) + 5;
      return BASE + BigInt(at + 4 + bytes.readInt32LE(at));
    };
    expect(jump({ retpoline: 'generic' })).toBe(0xffffffff81300000n);
    expect(jump({ retpoline: 'generic', callDepthTracking: true })).toBe(0xffffffff81300100n);
    expect(jump({ retpoline: 'generic', its: true })).toBe(0xffffffff81300200n);
  });

  it('account for call depth before each call', () => {
    const call = [insn(0x85, 0, 0, 0, 0x1000), EXIT];
    expect(code(call)).toBe(`${HEAD}e8${rel32(0xffffffff81001000n, 17)}c9c3`);
    expect(code(call, { callDepthTracking: true })).toBe(
      `${HEAD}6548c13d${rel32(0xffffffff82000000n, 21)}05e8${rel32(0xffffffff81001000n, 26)}c9c3`,
    );
  });

  it('do shifts through cl where there are no three-operand shifts', () => {
    const shift = (dst: number, src: number): string => code([insn(0x6f, dst, src), EXIT]).slice(HEAD.length, -4);
    expect(shift(0, 4)).toBe('48d3e0');
    expect(shift(0, 1)).toBe('514889f948d3e059');
    expect(shift(4, 1)).toBe('4989cb4889f949d3e34c89d9');
    expect(code([insn(0xcc, 5, 2), EXIT]).slice(HEAD.length, -4)).toBe('514889f141d3f859');
  });

  it('widen the range of user addresses with five-level page tables', () => {
    const guarded = [insn(0x39, 0, 1), EXIT];
    expect(code(guarded)).toContain('49ba0000a00000800000');
    expect(code(guarded, { la57: true })).toContain('49ba0000a00000000001');
  });

  it('clear branch history at the end of a classic program of an unprivileged user', () => {
    const classic = { classic: true, clearBranchHistory: true };
    expect(code(RETURN_0, { clearBhb: true }, {}, classic)).toBe(
      `0f1f440000554889e531c05051e8${rel32(0xffffffff81400000n, 18)}5958c9c3`,
    );
    expect(code(RETURN_0, { ibhf: true }, {}, classic)).toBe('0f1f440000554889e531c0f3480f1ef8c9c3');
    expect(code(RETURN_0, { clearBhb: true }, {}, { classic: true })).toBe('0f1f440000554889e531c0c9c3');
  });
});
