// Questions to the kernel's own x86-64 emitter, as build.sh builds it, and its answers.
import { spawnSync } from 'node:child_process';
import { encodeInsns } from '../../src/isa/insn.ts';
import type { JitInput } from '../../src/kernel/jit/jit.ts';
import { addressOf, privateStackOf } from '../../src/kernel/jit/x86-64/testing/answer.ts';

const RETPOLINE = { none: 0, generic: 1, amd: 2 };
const MAX_ANSWER = 1 << 30;

/** Where the functions of a program lie. */
export interface Places {
  address: (index: number) => bigint;
  privateStack: (index: number) => bigint;
}

interface AskOptions {
  /** Asks what blinding with this key makes of the constants, not for machine code. */
  key?: number;
  places?: Places;
}

const PLACES: Places = { address: addressOf, privateStack: privateStackOf };

/** The program in the words of oracle.c. */
function textOf(program: JitInput, { key, places = PLACES }: AskOptions): string {
  const { image, functions, arena, classic, clearBranchHistory } = program;
  const { cpu } = image;
  const address = (name: string | undefined): bigint => (name === undefined ? 0n : (image.symbolAddress(name) ?? 0n));
  const words: (string | number | bigint)[] = [
    Number(cpu.bmi2),
    RETPOLINE[cpu.retpoline],
    Number(cpu.sls),
    Number(cpu.ibt),
    Number(cpu.ibhf ?? false),
    Number(cpu.la57 ?? false),
    Number(image.config('CONFIG_MITIGATION_RETPOLINE') === 'y'),
    address('__bpf_call_base'),
    address('this_cpu_off'),
    address(cpu.returnThunk),
    address(cpu.callDepthTracking ? '__x86_indirect_jump_thunk_rcx' : '__x86_indirect_thunk_rcx'),
    cpu.its ? address('__x86_indirect_its_thunk_rcx') : 0,
    cpu.callDepthTracking ? address('__x86_call_depth') : 0,
    cpu.clearBhb ? address('clear_bhb_loop') : 0,
    arena?.kernStart ?? 0n,
    arena?.userStart ?? 0n,
    Number(!clearBranchHistory),
    Number(key !== undefined),
    key ?? 0,
    functions.length,
  ];
  functions.forEach((f, i) => {
    words.push(Number(f.isSubprog), f.stackDepth, Number(f.tailCallReachable), Number(f.exceptionCallback));
    words.push(Number(f.exceptionBoundary), Number(f.privateStack), Number(classic ?? false));
    words.push(
      places.address(i),
      places.privateStack(i),
      f.insns.length,
      Buffer.from(encodeInsns(f.insns)).toString('hex'),
    );
  });
  return `${words.join(' ')}\n`;
}

/** Linux's answers: code, offsets and exception table of each function, "BAD" where it gives up. */
export function ask(oracle: string, programs: readonly JitInput[], options: AskOptions = {}): string[] {
  const input = programs.map((program) => textOf(program, options)).join('');
  const { stdout, status } = spawnSync(oracle, { input, maxBuffer: MAX_ANSWER });
  if (status !== 0) throw new Error(`${oracle} ended with ${status}`);
  return stdout
    .toString()
    .split(/END\n|(?<=BAD\n)/)
    .slice(0, programs.length);
}
