import { describe, expect, it } from 'vitest';
import { type Insn, insn, LDIMM64 } from '../../../isa/insn.ts';
import { ALU, CALL_KIND, CLASS, JMP, MODE, SIZE, SRC } from '../../../isa/opcode.ts';
import {
  aluImm,
  call,
  callFunction,
  exit,
  goto,
  jumpImm,
  load,
  loadImm64,
  movImm,
  movPerCpu,
  movReg,
} from '../../rewrite/build.ts';
import { convertFromX86 } from './from-x86.ts';
import { ARM64_DEFAULTS } from './settings.ts';
import { testImage } from './testing/test-image.ts';

const SYMBOLS: Readonly<Record<string, bigint>> = {
  cpu_number: 0xffffffff83a12344n,
  __bpf_call_base: 0xffffffff81300000n,
  bpf_get_current_task: 0xffffffff81200000n,
  bpf_ktime_get_ns: 0xffffffff81300500n,
};
const image = { ...testImage(), machine: 'x86_64', symbolAddress: (name: string) => SYMBOLS[name] };
const convert = (insns: Insn[]): Insn[] => convertFromX86(insns, image).insns;

const processor = (): Insn[] => [movImm(0, 0x83a12344 | 0), movPerCpu(0, 0), load(SIZE.W, 0, 0, 0)];
const probe = (off: number): Insn => insn(CLASS.LDX | MODE.PROBE_MEM | SIZE.W, 3, 2, off);
const AX = 11;
const guarded = (off: number, limit = 1 << 16): Insn[] => [
  movReg(AX, 2),
  ...(off ? [aluImm(ALU.ADD, AX, off)] : []),
  aluImm(ALU.RSH, AX, 32),
  jumpImm(JMP.JLE, AX, limit, 2),
  probe(off),
  goto(1),
  movImm(3, 0),
];

describe('convertFromX86', () => {
  it('calls the helper whose work x86-64 does in three instructions', () => {
    expect(convert([movImm(1, 1), ...processor(), exit()])).toEqual([movImm(1, 1), call(8), exit()]);
  });

  it('names helpers that the arm64 emitter does itself by number', () => {
    const distance = (name: string): number => Number(SYMBOLS[name] - SYMBOLS.__bpf_call_base);
    expect(convert([call(distance('bpf_get_current_task')), call(distance('bpf_ktime_get_ns')), exit()])).toEqual([
      call(35),
      call(0x500),
      exit(),
    ]);
    const kfunc = insn(CLASS.JMP | JMP.CALL, 0, CALL_KIND.KFUNC, 0, distance('bpf_get_current_task'));
    expect(convert([kfunc, exit()])).toEqual([kfunc, exit()]);
  });

  it('guards loads through kernel pointers', () => {
    expect(convert([probe(0), probe(-8), exit()])).toEqual([...guarded(0), ...guarded(-8), exit()]);
    const wider = { ...image, cpu: { ...image.cpu, arm64: { ...ARM64_DEFAULTS, addressBits: 52 } } };
    expect(convertFromX86([probe(4)], wider).insns).toEqual(guarded(4, 1 << 20));
  });

  it('keeps jumps where they led to, and tells where everything went', () => {
    const source = [
      jumpImm(JMP.JEQ, 1, 0, 4),
      ...processor(),
      probe(0),
      goto(-5),
      insn(CLASS.JMP32 | JMP.JA, 0, 0, 0, -3),
      exit(),
    ];
    const { insns, firstSlots } = convertFromX86(source, image);
    expect(firstSlots).toEqual([0, 1, 1, 1, 2, 8, 9, 10, 11]);
    expect([insns[0].off, insns[8].off, insns[9].imm]).toEqual([7, -8, -8]);
  });

  it('leaves 64-bit constants and calls of functions alone, whatever they look like', () => {
    const constant = loadImm64(0, 0x83a12344n);
    constant[1].code = 0;
    const source = [...constant, callFunction(3), insn(CLASS.JMP | JMP.TAIL_CALL, 0, 0, 0, 2), exit()];
    expect(convert(source)).toEqual(source);
    expect(source[0].code).toBe(LDIMM64);
  });

  it('leaves what only resembles the number of the processor', () => {
    const others = [
      [movImm(0, 0x83a12348 | 0), movPerCpu(0, 0), load(SIZE.W, 0, 0, 0)],
      [movImm(0, 0x83a12344 | 0), movPerCpu(0, 0), load(SIZE.DW, 0, 0, 0)],
      [movImm(0, 0x83a12344 | 0), movPerCpu(0, 0)],
      [insn(CLASS.ALU | ALU.MOV | SRC.K, 0, 0, 0, 0x83a12344), movPerCpu(0, 0), load(SIZE.W, 0, 0, 0)],
    ];
    for (const source of others) expect(convert(source)).toEqual(source);
  });

  it('gives up where a jump no longer reaches', () => {
    const probes = Array.from({ length: 6000 }, () => probe(0));
    expect(() => convert([goto(6000), ...probes, exit()])).toThrow('out of reach');
    expect(() => convert([goto(9), exit()])).toThrow('leaves the function');
  });
});
