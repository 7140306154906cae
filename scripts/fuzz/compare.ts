// What two kernels answered to one program, compared.
import { createRequire } from 'node:module';
import { ERRNO } from '../../src/errno.ts';
import type { InfoRecords, ProgInfo } from '../../src/syscall.ts';
import { type CodeLine, codeMask, maskXlatedBytes, sameJited } from '../parity/mask.ts';
import type { Outcome } from './sides.ts';

const { Decoder, DecoderOptions, Instruction } = createRequire(import.meta.url)(
  'iced-x86',
) as typeof import('iced-x86');

/** What differs, and the two sides of it. */
export interface Difference {
  what: 'verdict' | 'counts' | 'log' | 'xlated' | 'tag' | 'records' | 'jited' | 'fault';
  real: string;
  ours: string;
}

const hex = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString('hex');

/** Instructions of each function. */
function codeLines(info: ProgInfo): CodeLine[][] {
  const functions: CodeLine[][] = [];
  const insn = new Instruction();
  let at = 0;
  for (const length of info.jitedFuncLens) {
    const code = info.jited.subarray(at, at + length);
    const decoder = new Decoder(64, code, DecoderOptions.None);
    const lines: CodeLine[] = [];
    for (let pc = 0; pc < code.length; ) {
      decoder.position = pc;
      decoder.decodeOut(insn);
      const size = Math.max(1, insn.length);
      lines.push({ pc, bytes: [...code.subarray(pc, pc + size)] });
      pc += size;
    }
    functions.push(lines);
    decoder.free();
    at += length;
  }
  insn.free();
  return functions;
}

/** The line that tells how much was processed, and the stack depth. */
const counts = (log: string): string => (log.match(/^(?:processed|stack depth) .*$/gm) ?? []).join('; ');

/** Function and distance; addresses elsewhere (that of a hidden exception handler) depend on where code is put. */
function placeIn(info: ProgInfo, address: bigint): string {
  const i = info.jitedKsyms.findIndex(
    (start, k) => address >= start && address < start + BigInt(info.jitedFuncLens[k]),
  );
  return i < 0 ? 'elsewhere' : `${i}+${address - info.jitedKsyms[i]}`;
}

const records = (info: InfoRecords | undefined): string => hex(info?.bytes);

function compareInfo(real: ProgInfo, ours: ProgInfo): Difference | undefined {
  const [a, b] = [maskXlatedBytes(hex(real.xlated)), maskXlatedBytes(hex(ours.xlated))];
  if (a !== b) return { what: 'xlated', real: a, ours: b };
  if (hex(real.tag) !== hex(ours.tag)) return { what: 'tag', real: hex(real.tag), ours: hex(ours.tag) };
  const rest = (info: ProgInfo): string =>
    JSON.stringify({
      verified: info.verifiedInsns,
      maps: info.mapIds.length,
      lengths: info.jitedFuncLens,
      funcInfo: records(info.funcInfo),
      lineInfo: records(info.lineInfo),
      lines: info.jitedLineInfo.map((address) => placeIn(info, address)),
      memlock: info.memlock,
      gpl: info.gplCompatible,
    });
  if (rest(real) !== rest(ours)) return { what: 'records', real: rest(real), ours: rest(ours) };
  if (!sameJited(hex(ours.jited), hex(real.jited), codeMask(codeLines(real)))) {
    return { what: 'jited', real: hex(real.jited), ours: hex(ours.jited) };
  }
  return undefined;
}

/** undefined where both said the same. */
export function compare(real: Outcome, ours: Outcome): Difference | undefined {
  if (ours.errno < 0) return { what: 'fault', real: real.log, ours: ours.log };
  if (real.errno !== ours.errno) return { what: 'verdict', real: `${real.errno}`, ours: `${ours.errno}` };
  if (counts(real.log) !== counts(ours.log)) return { what: 'counts', real: counts(real.log), ours: counts(ours.log) };
  const [a, b] = real.errno === ERRNO.ENOSPC ? sameEnds(real.log, ours.log) : [real.log, ours.log];
  if (a !== b) return { what: 'log', ...firstLines(a, b) };
  return real.info && ours.info ? compareInfo(real.info, ours.info) : undefined;
}

/** Of logs that did not fit, the end is left; how long the walk took decides where it begins. */
function sameEnds(real: string, ours: string): [string, string] {
  const whole = (log: string): string => log.slice(log.indexOf('\n') + 1);
  const length = Math.min(whole(real).length, whole(ours).length);
  return [real.slice(-length), ours.slice(-length)];
}

function firstLines(real: string, ours: string): { real: string; ours: string } {
  const [a, b] = [real.split('\n'), ours.split('\n')];
  const at = Math.max(
    a.findIndex((line, i) => line !== b[i]),
    0,
  );
  const from = (lines: string[]): string => lines.slice(at, at + 4).join('\n');
  return { real: from(a), ours: from(b) };
}
