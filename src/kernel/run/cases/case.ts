// Programs whose runs the kernel has been asked about: what they are made of. What it answered stands in
// testdata/run/cases.json.
import { type Insn, insn, LDIMM64 } from '../../../isa/insn.ts';
import { ALU, PSEUDO, SIZE } from '../../../isa/opcode.ts';
import { HELPER, type HelperName, type MapTypeName, type ProgTypeName } from '../../../isa/uapi.ts';
import { aluImm, call, movReg, storeImm } from '../../rewrite/build.ts';

export interface RunCaseMap {
  type: MapTypeName;
  key: number;
  value: number;
  max: number;
  /** Elements in hex, key and value. */
  elements?: [string, string][];
}

export interface RunCase {
  name: string;
  type: ProgTypeName;
  insns: Insn[];
  maps?: RunCaseMap[];
  /** Packet and context in hex. */
  data?: string;
  context?: string;
  /** This program stands in these slots of map 0, a program array. */
  ownSlots?: number[];
}

/** What the kernel answered. */
export interface RunAnswer {
  retval: number;
  data?: string;
  context?: string;
  /** Elements of each map, sorted by key. */
  maps?: [string, string][][];
}

export const helper = (name: HelperName): Insn => call(HELPER[name]);
export const mapFd = (dst: number, index: number): Insn[] => [insn(LDIMM64, dst, PSEUDO.MAP_FD, 0, index + 1), insn(0)];
export const mapValue = (dst: number, index: number): Insn[] => [
  insn(LDIMM64, dst, PSEUDO.MAP_VALUE, 0, index + 1),
  insn(0),
];
/** Address of the function `far` instructions after this one's two slots. */
export const func = (dst: number, far: number): Insn[] => [insn(LDIMM64, dst, PSEUDO.FUNC, 0, far), insn(0)];
/** r`dst` = r10 + off */
export const stackAt = (dst: number, off: number): Insn[] => [movReg(dst, 10), aluImm(ALU.ADD, dst, off)];
/** Ethernet, IPv4, UDP and some bytes. */
export const FRAME =
  '001122334455667788990a0b0800' +
  '4500002e1234400040110000c0a80001c0a80002' +
  '04d2162e001a0000' +
  '000102030405060708090a0b0c0d0e0f1011';

export const syscall = (name: string, insns: Insn[], rest: Partial<RunCase> = {}): RunCase => ({
  name,
  type: 'syscall',
  insns,
  context: '000102030405060708090a0b0c0d0e0f1011121314151617',
  ...rest,
});

export const tc = (name: string, insns: Insn[], rest: Partial<RunCase>): RunCase => ({
  name,
  type: 'sched_cls',
  insns,
  data: FRAME,
  ...rest,
});

/** Bytes by single stores, since most contexts cannot be read as bytes. */
export function bytesOnStack(bytes: Uint8Array, off: number): Insn[] {
  return Array.from(bytes, (byte, i) => storeImm(SIZE.B, 10, off + i, byte));
}
