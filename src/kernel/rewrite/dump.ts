// The program as user space may see it.
import { encodeInsns, type Insn, imm64, LDIMM64 } from '../../isa/insn.ts';
import { CLASS, insnClass, insnMode, insnSize, JMP, MODE, PSEUDO } from '../../isa/opcode.ts';
import { HELPER, MAP_TYPE } from '../../isa/uapi.ts';
import type { KMap } from '../objects.ts';

const TAIL_CALL = CLASS.JMP | JMP.TAIL_CALL;
const CALL = CLASS.JMP | JMP.CALL;
const MEMORY: ReadonlySet<number> = new Set([CLASS.LDX, CLASS.ST, CLASS.STX]);

/** Bytes of the values that programs reach by address and that can be told from it; 0 for maps without. */
const directBytes = (map: KMap): number =>
  map.type === MAP_TYPE.array && map.maxEntries === 1 ? (map.valueSize + 7) & ~7 : 0;

/** The map that an address is of, or that it points into. */
function mapAt(maps: readonly KMap[], address: bigint): { map: KMap; src: number; off: number } | undefined {
  for (const map of maps) {
    if (map.address === address) return { map, src: PSEUDO.MAP_FD, off: 0 };
    const off = address - (map.valueAddress ?? 0n);
    if (off >= 0n && off < BigInt(directBytes(map))) return { map, src: PSEUDO.MAP_VALUE, off: Number(off) };
  }
  return undefined;
}

/** Instruction `i` to change: the others are the program's own. */
function changed(insns: Insn[], i: number): Insn {
  insns[i] = { ...insns[i] };
  return insns[i];
}

function showOne(insns: Insn[], i: number, maps: readonly KMap[]): void {
  const { code } = insns[i];
  if (code === TAIL_CALL) {
    const insn = changed(insns, i);
    insn.code = CALL;
    insn.imm = HELPER.tail_call;
    return;
  }
  const cls = insnClass(code);
  const mode = insnMode(code);
  const probing = (cls === CLASS.LDX && mode === MODE.PROBE_MEM) || (MEMORY.has(cls) && mode === MODE.PROBE_MEM32);
  if (probing) changed(insns, i).code = cls | insnSize(code) | MODE.MEM;
  if (code !== LDIMM64) return;
  const found = mapAt(maps, imm64(insns, i));
  if (found === undefined) return;
  const insn = changed(insns, i);
  insn.src = found.src;
  insn.imm = found.map.id;
  changed(insns, i + 1).imm = found.off;
}

/**
 * Wire bytes of a finished program: maps by id, internal opcodes as those of the program that was loaded.
 * rule: bpf_insn_prepare_dump, 6.18, for readers who may see kernel addresses
 */
export function xlatedBytes(insns: readonly Insn[], maps: readonly KMap[]): Uint8Array {
  const shown = insns.slice();
  for (let i = 0; i < shown.length; i++) showOne(shown, i, maps);
  return encodeInsns(shown);
}
