// The tag of a program: the first bytes of a hash of its instructions. Rule: bpf_prog_calc_tag, core.c, 6.18.
import { createHash } from 'node:crypto';
import { encodeInsns, type Insn, LDIMM64 } from '../../isa/insn.ts';
import { PSEUDO } from '../../isa/opcode.ts';

const TAG_BYTES = 8;

/** 8 bytes. Descriptors of maps and offsets in map values do not count. */
export function programTag(insns: readonly Insn[]): Uint8Array {
  const bytes = encodeInsns(insns);
  for (let i = 0; i + 1 < insns.length; i++) {
    const { code, src } = insns[i];
    if (code !== LDIMM64 || (src !== PSEUDO.MAP_FD && src !== PSEUDO.MAP_VALUE)) continue;
    bytes.fill(0, i * 8 + 4, i * 8 + 8);
    const second = insns[i + 1];
    if (second.code !== 0 || second.dst !== 0 || second.src !== 0 || second.off !== 0) continue;
    bytes.fill(0, i * 8 + 12, i * 8 + 16);
    i++;
  }
  return new Uint8Array(createHash('sha256').update(bytes).digest().subarray(0, TAG_BYTES));
}
