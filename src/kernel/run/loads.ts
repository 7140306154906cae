// Loads and stores.
import type { Insn } from '../../isa/insn.ts';
import { CLASS, insnClass, insnMode, MODE, SIZE } from '../../isa/opcode.ts';
import { type Machine, type Op, R0, type Step } from './machine.ts';
import { RunFault } from './memory.ts';
import type { StepTable } from './steps.ts';

/** r6 holds the context where the packet is read by the old instructions. */
const R6 = 6;

const load: Step = (m, { dst, src, off, size }) => {
  m.regs[dst] = m.memory.read(BigInt.asUintN(64, m.regs[src] + BigInt(off)), size);
};
const loadSigned: Step = (m, { dst, src, off, size }) => {
  m.regs[dst] = BigInt.asIntN(size * 8, m.memory.read(BigInt.asUintN(64, m.regs[src] + BigInt(off)), size));
};

/** A load that gives 0 where there is no memory. rule: ex_handler_bpf, 6.18 */
const probing =
  (step: Step): Step =>
  (m, op) => {
    try {
      step(m, op);
    } catch (error) {
      if (!(error instanceof RunFault)) throw error;
      m.regs[op.dst] = 0n;
    }
  };

/** A store that does nothing where there is no memory. */
const daring =
  (step: Step): Step =>
  (m, op) => {
    try {
      step(m, op);
    } catch (error) {
      if (!(error instanceof RunFault)) throw error;
    }
  };

/** Address in the arena: the low half counts. */
const arenaAddress = (m: Machine, reg: number, off: number): bigint =>
  BigInt.asUintN(64, m.arenaKernelStart + BigInt(m.halves[reg * 2]) + BigInt(off));

const loadArena: Step = (m, { dst, src, off, size }) => {
  m.regs[dst] = m.memory.read(arenaAddress(m, src, off), size);
};
const loadArenaSigned: Step = (m, { dst, src, off, size }) => {
  m.regs[dst] = BigInt.asIntN(size * 8, m.memory.read(arenaAddress(m, src, off), size));
};
const storeArena: Step = (m, { dst, src, off, size }) => {
  m.memory.write(arenaAddress(m, dst, off), size, m.regs[src]);
};
const storeArenaImm: Step = (m, { dst, off, size, imm }) => {
  m.memory.write(arenaAddress(m, dst, off), size, imm);
};

const store: Step = (m, { dst, src, off, size }) => {
  m.memory.write(BigInt.asUintN(64, m.regs[dst] + BigInt(off)), size, m.regs[src]);
};
const storeImm: Step = (m, { dst, off, size, imm }) => {
  m.memory.write(BigInt.asUintN(64, m.regs[dst] + BigInt(off)), size, imm);
};

const loadImm64: Step = (m, { dst, imm }) => {
  m.regs[dst] = imm;
  m.pc++;
};

/** Reads the packet in network order; the function ends with 0 where the packet does. rule: bpf_gen_ld_abs, 6.18 */
function loadPacket(m: Machine, { size }: Op, offset: number): void {
  const bytes = m.packetBytes(m.regs[R6], offset, size);
  if (bytes === undefined) {
    m.regs[R0] = 0n;
    m.leave();
    return;
  }
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  m.regs[R0] = value;
}

const loadAbsolute: Step = (m, op) => loadPacket(m, op, op.imm32);
const loadIndirect: Step = (m, op) => loadPacket(m, op, (m.halves[op.src * 2] + op.imm32) | 0);

/** What the verifier found out about the pointer of a load or store and the opcode does not say. */
export type PointerKind = 'plain' | 'kernel' | 'arena';

/** Modes by what the pointer leads to; loads alone are probed where that may be kernel memory. */
const MODES: Readonly<Record<PointerKind, Readonly<Record<number, number>>>> = {
  plain: {},
  kernel: { [MODE.MEM]: MODE.PROBE_MEM, [MODE.MEMSX]: MODE.PROBE_MEMSX },
  arena: {
    [MODE.MEM]: MODE.PROBE_MEM32,
    [MODE.MEMSX]: MODE.PROBE_MEM32SX,
    [MODE.ATOMIC]: MODE.PROBE_ATOMIC,
  },
};

/** Mode of a load or store as the rewritten program has it. rule: convert_ctx_accesses, 6.18 */
export function memoryMode({ code }: Insn, kind: PointerKind): number {
  const mode = insnMode(code);
  if (kind === 'kernel' && insnClass(code) !== CLASS.LDX) return mode;
  return MODES[kind][mode] ?? mode;
}

const SIZES = [SIZE.B, SIZE.H, SIZE.W, SIZE.DW];
/** Rewritten programs: a barrier against speculation. */
const NO_SPECULATION = CLASS.ST | 0xc0;

export const MEMORY_STEPS: StepTable = new Map();
for (const size of SIZES) {
  const add = (kind: number, mode: number, step: Step): void => {
    MEMORY_STEPS.set(kind | mode | size, () => step);
  };
  add(CLASS.LDX, MODE.MEM, load);
  add(CLASS.LDX, MODE.MEMSX, loadSigned);
  add(CLASS.LDX, MODE.PROBE_MEM, probing(load));
  add(CLASS.LDX, MODE.PROBE_MEMSX, probing(loadSigned));
  add(CLASS.LDX, MODE.PROBE_MEM32, probing(loadArena));
  add(CLASS.LDX, MODE.PROBE_MEM32SX, probing(loadArenaSigned));
  add(CLASS.STX, MODE.MEM, store);
  add(CLASS.STX, MODE.PROBE_MEM32, daring(storeArena));
  add(CLASS.ST, MODE.MEM, storeImm);
  add(CLASS.ST, MODE.PROBE_MEM32, daring(storeArenaImm));
  if (size === SIZE.DW) continue;
  add(CLASS.LD, MODE.ABS, loadAbsolute);
  add(CLASS.LD, MODE.IND, loadIndirect);
}
MEMORY_STEPS.set(CLASS.LD | MODE.IMM | SIZE.DW, () => loadImm64);
MEMORY_STEPS.set(NO_SPECULATION, () => () => undefined);
