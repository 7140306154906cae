// Instructions and source lines in the log. Rule: verbose_insn of verifier.c and verbose_linfo of log.c, 6.18.
import { disasmInsn } from '../../isa/disasm.ts';
import type { Insn } from '../../isa/insn.ts';
import { CALL_KIND } from '../../isa/opcode.ts';
import type { LineInfo, VerifierEnv } from './env.ts';

/** Only vmlinux has kernel functions that can be named here: the image has no modules. */
function kfuncName(env: VerifierEnv, insn: Insn): string | undefined {
  if (insn.src !== CALL_KIND.KFUNC) return undefined;
  return insn.off === 0 ? env.image.btf().name(insn.imm) : '<error>';
}

/** The instruction at `insnIdx` as text with its newline: `(b7) r0 = 0`. */
export function verboseInsn(env: VerifierEnv, insnIdx: number): void {
  if (env.log.level === 0) return;
  let text = env.insnTexts[insnIdx];
  if (text === undefined) {
    const insn = disasmInsn(env.insns[insnIdx], env.insns[insnIdx + 1], {
      allowPtrLeaks: env.allowPtrLeaks,
      callName: (call) => kfuncName(env, call),
    });
    text = `${insn}\n`;
    env.insnTexts[insnIdx] = text;
  }
  env.log.appendAscii(text);
}

/** The line record that covers an instruction. */
function findLineInfo(env: VerifierEnv, insnIdx: number): LineInfo | undefined {
  const records = env.lineInfo;
  if (records.length === 0 || insnIdx >= env.insns.length) return undefined;
  let low = 0;
  let high = records.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (records[middle].insnOff <= insnIdx) low = middle;
    else high = middle - 1;
  }
  return records[low];
}

const lineNumber = (record: LineInfo): number => record.lineCol >>> 10;

/** `prefix` and the source line of an instruction, unless that line was the last one printed. */
export function verboseLineInfo(env: VerifierEnv, insnIdx: number, prefix: string): void {
  const { log } = env;
  const btf = env.progBtf;
  if (log.level === 0 || btf === undefined) return;
  const previous = env.prevLineInfo;
  const record = findLineInfo(env, insnIdx);
  if (record === undefined || record === previous) return;
  if (
    previous !== undefined &&
    record.fileNameOff === previous.fileNameOff &&
    lineNumber(record) === lineNumber(previous)
  ) {
    return;
  }
  if (prefix !== '') log.write(prefix);
  log.write(btf.str(record.lineOff).replace(/^[\t-\r ]+/, ''));
  const file = btf.str(record.fileNameOff);
  log.write(` @ ${file.slice(file.lastIndexOf('/') + 1)}:${lineNumber(record)}\n`);
  env.prevLineInfo = record;
}
