// What the running kernel's x86-64 emitter does, found out by loading small programs and reading their machine code.
import { readFileSync } from 'node:fs';
import { encodeInsns, type Insn, insn } from '../../src/isa/insn.ts';
import { HELPER, MAP_TYPE, PROG_TYPE } from '../../src/isa/uapi.ts';
import type { CpuSettings } from '../../src/kernel/image/image.ts';
import { createMap, type LoadedCode, loadAndRead, runSyscallProgram } from './bpf-syscall.ts';

const EXIT = insn(0x95);
const RETURN_0 = insn(0xb7, 0);
const call = (helper: number): Insn => insn(0x85, 0, 0, 0, helper);
const load = (...insns: Insn[]): LoadedCode => loadAndRead(PROG_TYPE.xdp, encodeInsns(insns));
const isOption = (config: ReadonlyMap<string, string>, name: string): boolean => config.get(name) === 'y';

/** Target of the 5-byte jump or call at `offset`. */
const relativeTarget = (code: LoadedCode, offset: number): bigint =>
  BigInt.asUintN(64, code.address + BigInt(offset + 5 + code.jited.readInt32LE(offset + 1)));

/** Eight bytes of kernel memory. */
function readKernel(address: bigint): Buffer {
  const half = (value: bigint): number => Number(BigInt.asIntN(32, value));
  const program = encodeInsns([
    insn(0xbf, 6, 1),
    insn(0x7a, 10, 0, -8),
    insn(0xbf, 1, 10),
    insn(0x07, 1, 0, 0, -8),
    insn(0xb7, 2, 0, 0, 8),
    insn(0x18, 3, 0, 0, half(address)),
    insn(0, 0, 0, 0, half(address >> 32n)),
    call(HELPER.probe_read_kernel),
    insn(0x79, 1, 10, -8),
    insn(0x7b, 6, 1),
    RETURN_0,
    EXIT,
  ]);
  return runSyscallProgram(program, 8);
}

/** The counter that `shl qword gs:[rip+distance],5` at the start of the return thunk names; undefined without it. */
function callDepth(thunk: bigint | undefined): bigint | undefined {
  if (thunk === undefined) return undefined;
  const code = readKernel(thunk);
  if (!code.subarray(0, 4).equals(Buffer.from('6548c125', 'hex'))) return undefined;
  return thunk + 9n + BigInt(code.readInt32LE(4));
}

/** Addresses of the data symbols that Linux writes into programs; `addressOf` gives that of a text symbol. */
export function dataSymbols(addressOf: (name: string) => bigint | undefined): Record<string, string> {
  const hex = (value: bigint): string => `0x${BigInt.asUintN(64, value).toString(16)}`;
  const cpu = load(call(HELPER.get_smp_processor_id), EXIT);
  const jiffies = load(call(HELPER.jiffies64), EXIT).xlated;
  // mov rax,imm32 stands for &cpu_number; `add rax, gs:[this_cpu_off]` ends in its absolute address.
  const perCpuAdd = cpu.jited.indexOf(Buffer.from('6548030425', 'hex'));
  const depth = callDepth(addressOf('call_depth_return_thunk'));
  return {
    ...(depth !== undefined && { __x86_call_depth: hex(depth) }),
    cpu_number: hex(BigInt(cpu.xlated.readInt32LE(4))),
    this_cpu_off: hex(BigInt(cpu.jited.readInt32LE(perCpuAdd + 5))),
    jiffies: hex((BigInt(jiffies.readUInt32LE(12)) << 32n) | BigInt(jiffies.readUInt32LE(4))),
  };
}

/** `nameOf` gives the text symbol at an address, `config` the options of /proc/config.gz. */
export function cpuSettings(
  nameOf: (address: bigint) => string | undefined,
  config: ReadonlyMap<string, string>,
): CpuSettings {
  const plain = load(RETURN_0, EXIT);
  const afterLeave = plain.jited.lastIndexOf(0xc9) + 1;
  const jumps = plain.jited[afterLeave] === 0xe9;

  const helper = load(call(HELPER.ktime_get_ns), EXIT).jited;
  // Call depth accounting puts `sar qword gs:[rip+...],5` before each call.
  const callDepthTracking = helper.includes(Buffer.from('6548c13d', 'hex'));

  const progArray = createMap(MAP_TYPE.prog_array, 4, 4, 1);
  const tail = load(insn(0x61, 3, 1), insn(0x18, 2, 1, 0, progArray), insn(0), call(HELPER.tail_call), RETURN_0, EXIT);
  // add rcx,12 is the last instruction before the indirect jump.
  const indirect = tail.jited.indexOf(Buffer.from('4883c10c', 'hex')) + 4;
  const thunk = tail.jited[indirect] === 0xe9 ? nameOf(relativeTarget(tail, indirect)) : undefined;
  const lfence = tail.jited.subarray(indirect, indirect + 3).equals(Buffer.from('0faee8', 'hex'));

  const flags = /^flags\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1].split(' ') ?? [];
  const spectre = readFileSync('/sys/devices/system/cpu/vulnerabilities/spectre_v2', 'utf8');
  return {
    bmi2: flags.includes('bmi2'),
    retpoline: lfence ? 'amd' : thunk ? 'generic' : 'none',
    returnThunk: jumps ? nameOf(relativeTarget(plain, afterLeave)) : undefined,
    sls: isOption(config, 'CONFIG_MITIGATION_SLS'),
    ibt: plain.jited.subarray(0, 4).equals(Buffer.from('f30f1efa', 'hex')),
    callDepthTracking,
    its: thunk?.includes('_its_') ?? false,
    clearBhb: spectre.includes('BHI: SW loop'),
  };
}
