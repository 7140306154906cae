import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { type Insn, insn } from '../../isa/insn.ts';
import { CLASS, MODE, SIZE } from '../../isa/opcode.ts';
import type { ProgTypeName } from '../../isa/uapi.ts';
import { programType } from '../program-types/index.ts';
import { AccessInfo } from '../program-types/program-type.ts';
import { FLAG, REG } from '../verifier/types.ts';
import { exit, load, movImm, nospec, sizeBits, store } from './build.ts';
import { convertCtxAccesses } from './convert.ts';
import { hexInsns, testProgram } from './test-program.ts';

/** Each access is "KIND dst src size offset result": R reads, S reads with sign, W and I write a register and 1. */
interface Group {
  type: ProgTypeName;
  attachType: number;
  accesses: string[];
}

const path = fileURLToPath(new URL('../../../testdata/rewrite/ctx.json', import.meta.url));
const { groups } = JSON.parse(readFileSync(path, 'utf8')) as { groups: Group[] };

function accessOf(kind: string, [dst, src, size, off]: number[]): Insn {
  const bits = sizeBits(size);
  switch (kind) {
    case 'R':
      return insn(CLASS.LDX | MODE.MEM | bits, dst, src, off);
    case 'S':
      return insn(CLASS.LDX | MODE.MEMSX | bits, dst, src, off);
    case 'W':
      return insn(CLASS.STX | MODE.MEM | bits, dst, src, off);
    default:
      return insn(CLASS.ST | MODE.MEM | bits, dst, 0, off, 1);
  }
}

function converted(group: Group, access: Insn, size: number): string {
  const env = testProgram({ insns: [access, exit()], type: group.type, attachType: group.attachType });
  const info = new AccessInfo((access.code & 0xe0) === MODE.MEMSX);
  const write = (access.code & 7) !== CLASS.LDX;
  expect(programType(env.progType).isValidAccess(env, access.off, size, write ? 'write' : 'read', info)).toBe(true);
  env.aux[0].ptrType = REG.CTX;
  env.aux[0].ctxFieldSize = write ? 0 : info.ctxFieldSize;
  expect(convertCtxAccesses(env)).toBe(0);
  return hexInsns(env.insns).slice(0, -1).join('');
}

describe.each(groups)('the context of $type, attach type $attachType', (group) => {
  it.each(group.accesses)('%s', (line) => {
    const [kind, dst, src, size, off, result] = line.split(' ');
    const numbers = [dst, src, size, off].map(Number);
    expect(converted(group, accessOf(kind, numbers), Number(size))).toBe(result);
  });
});

/** The first instruction's replacement, where the verifier saw a pointer of `ptrType`. */
function through(ptrType: number, access: Insn, fieldSize = 0): string[] {
  const env = testProgram({ insns: [access, exit()], type: 'sched_cls' });
  env.aux[0].ptrType = ptrType;
  env.aux[0].ctxFieldSize = fieldSize;
  expect(convertCtxAccesses(env)).toBe(0);
  return hexInsns(env.insns).slice(0, -1);
}

describe('pointers other than the context', () => {
  it('a byte of a field of struct bpf_sock is cut out of the whole', () => {
    // sk_protocol is 16 bits at 564 + 18 of this kernel; the UAPI has 32 bits at 12.
    const whole = through(REG.SOCKET, load(SIZE.W, 2, 1, 12), 4);
    const byte = through(REG.SOCKET, load(SIZE.B, 2, 1, 13), 4);
    expect(whole).toHaveLength(1);
    expect(byte).toEqual([...whole, '7402000008000000', '54020000ff000000']);
  });

  it('addresses of sockets are read in the size of the access', () => {
    expect(through(REG.SOCK_COMMON, load(SIZE.W, 2, 1, 24))).toEqual(['6112040000000000']);
    expect(through(REG.SOCK_COMMON, load(SIZE.W, 2, 1, 32))).toEqual(['61124c0000000000']);
  });

  it('struct bpf_tcp_sock is read from struct tcp_sock', () => {
    expect(through(REG.TCP_SOCK, load(SIZE.W, 2, 1, 0))).toEqual(['6112a40500000000']);
  });

  it('reads of kernel structures may fault, writes are trusted', () => {
    expect(through(REG.BTF_ID, load(SIZE.DW, 2, 1, 8))).toEqual(['3912080000000000']);
    expect(through(REG.BTF_ID | FLAG.UNTRUSTED, insn(CLASS.LDX | MODE.MEMSX | SIZE.H, 2, 1, 8))).toEqual([
      '4912080000000000',
    ]);
    expect(through(REG.BTF_ID | FLAG.TRUSTED, load(SIZE.DW, 2, 1, 8))).toEqual(['7912080000000000']);
    expect(through(REG.BTF_ID, store(SIZE.DW, 1, 2, 8))).toEqual(['7b21080000000000']);
  });

  it('accesses to an arena get modes of their own', () => {
    expect(through(REG.ARENA, load(SIZE.W, 2, 1, 4))).toEqual(['a112040000000000']);
    expect(through(REG.ARENA, store(SIZE.W, 1, 2, 4))).toEqual(['a321040000000000']);
    expect(through(REG.ARENA, insn(CLASS.LDX | MODE.MEMSX | SIZE.W, 2, 1, 4))).toEqual(['c112040000000000']);
    expect(through(REG.ARENA, insn(CLASS.STX | MODE.ATOMIC | SIZE.W, 1, 2, 4))).toEqual(['e321040000000000']);
  });
});

describe('speculation barriers', () => {
  it('stand before an instruction that must not be speculated', () => {
    const env = testProgram({ insns: [movImm(0, 0), exit()] });
    env.aux[1].nospec = true;
    expect(convertCtxAccesses(env)).toBe(0);
    expect(env.insns).toEqual([movImm(0, 0), nospec(), exit()]);
  });

  it('stand behind a store whose result must not be read ahead of it', () => {
    const env = testProgram({ insns: [store(SIZE.DW, 10, 1, -8), exit()] });
    env.aux[0].nospecResult = true;
    expect(convertCtxAccesses(env)).toBe(0);
    expect(env.insns).toEqual([store(SIZE.DW, 10, 1, -8), nospec(), exit()]);
  });
});
