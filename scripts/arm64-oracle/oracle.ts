// Questions to the kernel's own arm64 emitter, as build.sh builds it, and its answers.
import { spawnSync } from 'node:child_process';
import { SysError } from '../../src/errno.ts';
import { encodeInsns } from '../../src/isa/insn.ts';
import { compileProgram, type PlacedInput } from '../../src/kernel/jit/arm64/compile.ts';
import { arm64Settings } from '../../src/kernel/jit/arm64/settings.ts';
import type { JitInput, JitOutput } from '../../src/kernel/jit/jit.ts';

const FIRMWARE = { none: 0, hvc: 1, smc: 2 };
const MAX_ANSWER = 1 << 30;

/** A program with places for everything. */
export interface Question {
  program: JitInput;
  addresses: bigint[];
  privateStacks: bigint[];
}

function textOf({ program, addresses, privateStacks }: Question): string {
  const { image, functions, arena } = program;
  const s = arm64Settings(image);
  const { clearInstruction, loops, firmware } = s.branchHistory;
  const flags = [s.bti, s.pac, s.cfi, s.lse, s.vhe, s.sb, clearInstruction].map(Number);
  const words: (string | number | bigint)[] = [...flags, loops, FIRMWARE[firmware ?? 'none']];
  words.push(Number(program.clearBranchHistory ?? false));
  words.push(image.symbolAddress('__bpf_call_base') ?? 0n, image.symbolAddress('arch_bpf_timed_may_goto') ?? 0n);
  words.push(arena?.kernStart ?? 0n, arena?.userStart ?? 0n, functions.length);
  functions.forEach((f, i) => {
    words.push(Number(f.isSubprog), f.stackDepth, Number(f.exceptionCallback), Number(f.exceptionBoundary));
    words.push(Number(f.privateStack), Number(program.classic ?? false), addresses[i], privateStacks[i]);
    words.push(f.insns.length, Buffer.from(encodeInsns(f.insns)).toString('hex'));
  });
  return `${words.join(' ')}\n`;
}

/** Linux's answers: text with the words, offsets and table of each function, "BAD" where it gives up. */
export function ask(oracle: string, questions: readonly Question[]): string[] {
  const { stdout, status } = spawnSync(oracle, { input: questions.map(textOf).join(''), maxBuffer: MAX_ANSWER });
  if (status !== 0) throw new Error(`${oracle} ended with ${status}`);
  return stdout.toString().split(/END\n|(?<=BAD\n)/);
}

function answerOf(outputs: readonly JitOutput[], sizes: readonly number[]): string {
  return outputs
    .map((o, i) => {
      const view = new DataView(o.bytes.buffer, o.bytes.byteOffset);
      let code = '';
      for (let at = 0; at < o.bytes.length; at += 4) code += view.getUint32(at, true).toString(16).padStart(8, '0');
      const offsets = o.insnOffsets.map((n) => ` ${n}`).join('');
      const table = o.exceptionTable.map((e) => ` ${e.insnOffset}:${e.fixup}:1`).join('');
      return `F ${sizes[i]} ${o.address} ${code} O${offsets} X${table}\n`;
    })
    .join('');
}

/** Our answer in the same words, and the machine code. */
export function ours({ program, addresses, privateStacks }: Question): { answer: string; code: JitOutput[] } {
  const sizes: number[] = [];
  const stacks = privateStacks.filter((_, i) => program.functions[i].privateStack);
  const input: PlacedInput = {
    ...program,
    allocate: (bytes) => addresses[sizes.push(bytes) - 1],
    allocatePerCpu: () => stacks.shift() ?? 0n,
  };
  try {
    const code = compileProgram(input);
    return { answer: answerOf(code, sizes), code };
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    return { answer: 'BAD\n', code: [] };
  }
}
