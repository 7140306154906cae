// The verifier's log, with what only the loader can know about its last lines.
import type { Btf } from '../btf/btf.ts';
import type { CoreRelo } from './btf-ext.ts';
import { POISON_CORE } from './core/patch.ts';
import { formatSpec, parseSpec } from './core/spec.ts';
import type { LoadState, ProgramState } from './load-state.ts';
import { Messages } from './print.ts';
import { POISON_KFUNC, POISON_MAP } from './relocate-data.ts';
import { RELOC } from './spec.ts';

/** Lines from the end that are looked at. */
const MAX_LINES = 10;
/** Sizes of the buffers of libbpf: what does not fit is cut. */
const SPEC_TEXT = 255;
const PATCH_TEXT = { core: 511, other: 127 } as const;
const CALL_LINE = /^(\d+): \(\d+\) call unknown#(\d+)$/;

export interface ImprovedLog {
  text: string;
  /** The CO-RE relocation without a target that the program was refused for. */
  relo?: CoreRelo;
}

/**
 * Replaces the complaint about a poisoned instruction by what it stands for: a CO-RE relocation, a map or a kernel
 * function that does not exist. Rule: libbpf 1.8.
 */
export function improveLog(state: LoadState, program: ProgramState, log: string): ImprovedLog {
  const lines = log.split('\n');
  // The last piece is what follows the last newline: a line only when it is not empty.
  const end = lines.at(-1) === '' ? lines.length - 1 : lines.length;
  for (let i = end - 1; i > 0 && i >= end - MAX_LINES; i--) {
    const match = /^invalid func unknown#(\d+)/.exec(lines[i]);
    if (!match) continue;
    const helper = match[1];
    const isCore = lines[i] === `invalid func unknown#${POISON_CORE}` && i < lines.length - 1;
    if (!isCore && !helper.startsWith('200100') && !helper.startsWith('2002')) continue;
    const call = CALL_LINE.exec(lines[i - 1]);
    if (!call) break;
    const insn = Number(call[1]);
    const number = Number(call[2]);
    const relo = isCore ? unresolvedRelo(program, insn, number) : undefined;
    const text = isCore
      ? relo && coreText(state, program, insn, relo)
      : helper.startsWith('200100')
        ? mapText(state, insn, number)
        : functionText(state, insn, number);
    if (text === undefined) break;
    const improved = [...lines.slice(0, i - 1), text + lines.slice(i + 1).join('\n')].join('\n');
    return relo ? { text: improved, relo } : { text: improved };
  }
  return { text: log };
}

/** The relocation that poisoned an instruction. */
const unresolvedRelo = (program: ProgramState, insn: number, helper: number): CoreRelo | undefined =>
  helper === POISON_CORE ? program.relocs.find((r) => r.type === RELOC.CORE && r.insn === insn)?.core : undefined;

function coreText(state: LoadState, program: ProgramState, insn: number, relo: CoreRelo): string | undefined {
  const spec = parseSpec(state.spec.btf as Btf, relo, program.spec.name, new Messages(undefined));
  if (typeof spec === 'number') return undefined;
  const path = formatSpec(spec);
  const shown = path.length > SPEC_TEXT ? `${path.slice(0, SPEC_TEXT)}...` : path;
  return `${insn}: <invalid CO-RE relocation>\nfailed to resolve CO-RE relocation ${shown}\n`.slice(0, PATCH_TEXT.core);
}

function mapText(state: LoadState, insn: number, helper: number): string | undefined {
  const map = state.maps[helper - POISON_MAP];
  if (!map) return undefined;
  return `${insn}: <invalid BPF map reference>\nBPF map '${map.name}' is referenced but wasn't created\n`.slice(
    0,
    PATCH_TEXT.other,
  );
}

function functionText(state: LoadState, insn: number, helper: number): string | undefined {
  const extern = state.externs[helper - POISON_KFUNC];
  if (!extern) return undefined;
  return `${insn}: <invalid kfunc call>\nkfunc '${extern.spec.name}' is referenced but wasn't resolved\n`.slice(
    0,
    PATCH_TEXT.other,
  );
}
