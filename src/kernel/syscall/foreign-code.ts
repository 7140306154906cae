// Machine code of a stored program for another architecture than that of its kernel.
import { SysError } from '../../errno.ts';
import { decodeInsns, type Insn, LDIMM64 } from '../../isa/insn.ts';
import { CALL_KIND, CLASS, JMP, PSEUDO } from '../../isa/opcode.ts';
import { MAP_TYPE } from '../../isa/uapi.ts';
import type { CodeArch, ProgCode } from '../../syscall.ts';
import type { KernelImage } from '../image/image.ts';
import { convertFromX86 } from '../jit/arm64/from-x86.ts';
import type { ArenaRange, FunctionShape, JitFunctionInput, JitInput } from '../jit/jit.ts';
import { archOf, jitProgram } from '../jit/jit.ts';
import { arenaStart } from '../maps/arena.ts';
import { concatBytes } from '../maps/numbers.ts';
import { bytesOf, mapRecord } from '../maps/record.ts';
import { lineAddresses } from '../rewrite/line-addresses.ts';
import type { Row } from '../store/database.ts';
import { damaged } from '../store/state-error.ts';
import { type ProgramFunction, programFunctions, programSymbols } from './prog-store.ts';

const CALL = CLASS.JMP | JMP.CALL;
/** Distances between functions are stored modulo this. */
const DISTANCE_RANGE = 1 << 16;
const LINE_INFO_BYTES = 16;

/** A function of the stored program, converted. */
interface Source {
  input: JitFunctionInput;
  start: number;
  length: number;
  /** Index in `input.insns` of what stands for each stored instruction. */
  firstSlots: number[];
}

type StoredFunction = ProgramFunction & { shape: FunctionShape };

/** A whole program, converted. */
export interface ForeignProgram {
  input: JitInput;
  /** One a function, in order. */
  sources: Source[];
}

/** Functions with their shapes; EOPNOTSUPP of programs stored without them. */
function functionsOf(row: Row): StoredFunction[] {
  return programFunctions(row).map(({ start, shape }) => {
    if (!shape) throw new SysError('EOPNOTSUPP', 'the program was stored by a version that keeps too little of it');
    const numbers = [start, shape.length, shape.stackDepth];
    if (!numbers.every((n) => Number.isSafeInteger(n) && n >= 0)) throw damaged('a program');
    return { start, shape };
  });
}

/**
 * Index of the function that a call leads to. The stored index is that of whatever begins at the distance of 16 bits;
 * where that is nothing, the callee is as many times 65536 away as leads to a function.
 */
function calleeOf(call: Insn, at: number, starts: readonly number[]): number {
  if (call.imm >= 0) return call.imm;
  const wanted = at + 1 + call.off;
  return starts.findIndex((start) => (start - wanted) % DISTANCE_RANGE === 0);
}

/** References to functions as the JIT has them: the index in `off`. */
function nameCallees(insns: Insn[], from: number, starts: readonly number[]): void {
  for (let i = 0; i < insns.length; i++) {
    const x = insns[i];
    if (x.code === CALL && x.src === CALL_KIND.PSEUDO) x.off = calleeOf(x, from + i, starts);
    if (x.code !== LDIMM64) continue;
    if (x.src === PSEUDO.FUNC && i + 1 < insns.length) x.off = insns[i + 1].imm;
    i++;
  }
}

function sourceOf(all: readonly Insn[], f: StoredFunction, starts: readonly number[], image: KernelImage): Source {
  const { length, blinded: _, ...shape } = f.shape;
  const own = all.slice(f.start, f.start + length).map((x) => ({ ...x }));
  nameCallees(own, f.start, starts);
  const { insns, firstSlots } = convertFromX86(own, image);
  return { input: { ...shape, insns }, start: f.start, length, firstSlots };
}

/** Instruction of each line record. */
function linesOf(row: Row): number[] {
  const bytes = bytesOf(row.line_info);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: Math.floor(bytes.length / LINE_INFO_BYTES) }, (_, i) =>
    view.getUint32(i * LINE_INFO_BYTES, true),
  );
}

/** The callback that programs get which throw and have none: it is stored only as instructions at the end. */
function hiddenFunction(start: number, length: number): StoredFunction {
  const flags = { tailCallReachable: false, exceptionBoundary: false, privateStack: false, blinded: false };
  return { start, shape: { ...flags, length, stackDepth: 0, isSubprog: true, exceptionCallback: true } };
}

/** Keys for blinding that are the same each time. */
function keys(seed: number): () => number {
  let state = (Math.imul(seed, 0x9e3779b1) ^ 0x5bd1e995) | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

/** The arena among the program's maps. */
function arenaOf(maps: readonly (Row | undefined)[]): ArenaRange | undefined {
  const row = maps.find((map) => map !== undefined && Number(map.type) === MAP_TYPE.arena);
  if (!row) return undefined;
  const map = mapRecord(row);
  return { kernStart: map.valueAddress ?? 0n, userStart: arenaStart(map) };
}

/**
 * The program as the JIT of another architecture takes it. Throws SysError EOPNOTSUPP of programs stored without what
 * compiling takes. `maps` are the program's.
 */
export function foreignInput(row: Row, image: KernelImage, maps: readonly (Row | undefined)[]): ForeignProgram {
  const functions = functionsOf(row);
  const all = decodeInsns(bytesOf(row.image));
  const end = functions.reduce((sum, { shape }) => sum + shape.length, 0);
  if (end < all.length) functions.push(hiddenFunction(end, all.length - end));
  const starts = functions.map((f) => f.start);
  const sources = functions.map((f) => sourceOf(all, f, starts, image));
  return {
    sources,
    input: {
      functions: sources.map(({ input }) => input),
      image,
      arena: arenaOf(maps),
      blinding: functions.some((f) => f.shape.blinded),
      random: keys(Number(row.id)),
    },
  };
}

/**
 * What a kernel of another architecture would make of the program, which was verified and rewritten for x86-64: the
 * instructions are converted (convertFromX86) and compiled anew. Layouts of structures and addresses of functions, maps
 * and variables are those of this kernel; the code lies at the start of an area of its own. Throws SysError EOPNOTSUPP
 * of programs stored without what compiling takes, ENOTSUPP where Linux would give up. `maps` are the program's.
 */
export function foreignCode(
  row: Row,
  arch: CodeArch,
  image: KernelImage,
  maps: readonly (Row | undefined)[],
): ProgCode {
  if (arch !== 'arm64' || archOf(image) !== 'x86-64') throw new SysError('EOPNOTSUPP', `no code for ${arch} here`);
  const { input, sources } = foreignInput(row, image, maps);
  const code = jitProgram({ ...input, arch });
  const lines = linesOf(row);
  const compiled = sources.map(({ start, length, firstSlots }, i) => ({
    address: code[i].address,
    insnOffsets: firstSlots.map((slot) => code[i].insnOffsets[slot]),
    length,
    firstLine: Math.max(lines.indexOf(start), 0),
  }));
  const names = programSymbols(row).map((symbol) => symbol.name);
  const shown = code.slice(0, names.length);
  return {
    jited: concatBytes(...shown.map((c) => c.bytes)),
    jitedKsyms: shown.map((c) => c.address),
    jitedFuncLens: shown.map((c) => c.bytes.length),
    jitedLineInfo: lineAddresses(lines, compiled),
    names,
  };
}
