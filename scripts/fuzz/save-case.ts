// A program as a case for testdata/verifier; scripts/capture-cases.py fills in what the kernel answers.
import { decodeInsns, encodeInsns, LDIMM64 } from '../../src/isa/insn.ts';
import { PSEUDO } from '../../src/isa/opcode.ts';
import { BTF_FD, type FuzzProgram } from './program.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** The case as JSON value; only maps that the program names are in it. */
export function asCase(program: FuzzProgram, name: string): Record<string, unknown> {
  const insns = decodeInsns(program.insns);
  const { maps: all, btf } = program.world;
  const used: number[] = [];
  const use = (index: number): number => {
    const { inner } = all[index];
    if (inner !== undefined) use(inner);
    if (!used.includes(index)) used.push(index);
    return used.indexOf(index);
  };
  for (let i = 0; i < insns.length; i++) {
    const x = insns[i];
    if (x.code !== LDIMM64) continue;
    if ((x.src === PSEUDO.MAP_FD || x.src === PSEUDO.MAP_VALUE) && all[x.imm - 1]) x.imm = use(x.imm - 1) + 1;
    i++;
  }
  for (const n of program.fdArray ?? []) if (n < BTF_FD) use(n - 1);
  const maps = used.map((index) => {
    const { type, key, value, max, flags, extra, inner, frozen, keyBtf, valueBtf, name, data } = all[index];
    const parts = { type, key, value, max, flags, extra, frozen, keyBtf, valueBtf, name, data };
    return { ...parts, ...(inner === undefined ? {} : { inner: used.indexOf(inner) }) };
  });
  const typed =
    maps.some((map) => map.keyBtf || map.valueBtf) || program.funcs !== undefined || program.lines !== undefined;
  return {
    name,
    type: program.type,
    insns: hex(encodeInsns(insns)),
    ...(program.license === 'GPL' ? {} : { license: program.license }),
    ...(program.flags ? { flags: program.flags } : {}),
    ...(program.attachType ? { attachType: program.attachType } : {}),
    ...(program.attachBtfId ? { attachBtf: program.attachBtfId } : {}),
    ...(program.caps === 'all' ? {} : { caps: program.caps, mapsAsCaller: true }),
    ...(maps.length ? { maps } : {}),
    ...(typed && btf ? { btf: hex(btf) } : {}),
    ...(program.funcs ? { funcInfo: hex(new Uint8Array(Uint32Array.from(program.funcs.flat()).buffer)) } : {}),
    ...(program.lines ? { lineInfo: hex(program.lines) } : {}),
    ...(program.fdArray ? { fdArray: program.fdArray.map((n) => (n < BTF_FD ? used.indexOf(n - 1) + 1 : n)) } : {}),
    ...(program.fdArrayBinds ? { fdArrayBinds: true } : {}),
  };
}
