// The program as user space may see it.
import { encodeInsns, type Insn, imm64, LDIMM64 } from '../../isa/insn.ts';
import { CLASS, insnClass, insnMode, insnSize, JMP, MODE, PSEUDO } from '../../isa/opcode.ts';
import { HELPER, MAP_TYPE } from '../../isa/uapi.ts';
import type { KMap } from '../objects.ts';

const TAIL_CALL = CLASS.JMP | JMP.TAIL_CALL;
const CALL = CLASS.JMP | JMP.CALL;
const MEMORY: ReadonlySet<number> = new Set([CLASS.LDX, CLASS.ST, CLASS.STX]);

/** The memory that programs reach by address: start and bytes; undefined for maps without. */
function directRange(map: KMap, pageSize: number): { start: bigint; bytes: number } | undefined {
  if (map.type === MAP_TYPE.arena) return { start: map.mapExtra, bytes: map.maxEntries * pageSize };
  if (map.type !== MAP_TYPE.array || map.maxEntries !== 1 || map.valueAddress === undefined) return undefined;
  return { start: map.valueAddress, bytes: (map.valueSize + 7) & ~7 };
}

/** The map that an address is of, or that it points into. */
function mapAt(
  maps: readonly KMap[],
  address: bigint,
  pageSize: number,
): { map: KMap; src: number; off: number } | undefined {
  for (const map of maps) {
    if (map.address === address) return { map, src: PSEUDO.MAP_FD, off: 0 };
    const range = directRange(map, pageSize);
    const off = range === undefined ? -1n : address - range.start;
    if (range !== undefined && off >= 0n && off < BigInt(range.bytes)) {
      return { map, src: PSEUDO.MAP_VALUE, off: Number(off) };
    }
  }
  return undefined;
}

function showOne(insns: Insn[], i: number, maps: readonly KMap[], pageSize: number): void {
  const insn = insns[i];
  const { code } = insn;
  if (code === TAIL_CALL) {
    insn.code = CALL;
    insn.imm = HELPER.tail_call;
    return;
  }
  const cls = insnClass(code);
  const mode = insnMode(code);
  const probing = (cls === CLASS.LDX && mode === MODE.PROBE_MEM) || (MEMORY.has(cls) && mode === MODE.PROBE_MEM32);
  if (probing) insn.code = cls | insnSize(code) | MODE.MEM;
  if (code !== LDIMM64) return;
  const found = mapAt(maps, imm64(insns, i), pageSize);
  if (found === undefined) return;
  insn.src = found.src;
  insn.imm = found.map.id;
  insns[i + 1].imm = found.off;
}

/**
 * Wire bytes of a finished program: maps by id, internal opcodes as those of the program that was loaded.
 * rule: bpf_insn_prepare_dump, 6.18, for readers who may see kernel addresses
 */
export function xlatedBytes(insns: readonly Insn[], maps: readonly KMap[], pageSize: number): Uint8Array {
  const shown = insns.map((insn) => ({ ...insn }));
  for (let i = 0; i < shown.length; i++) showOne(shown, i, maps, pageSize);
  return encodeInsns(shown);
}
