// Programs as the simulated kernel keeps them: calls by distance from __bpf_call_base, maps by address or by id.
import type { Insn } from '../../isa/insn.ts';
import { CALL_KIND, PSEUDO } from '../../isa/opcode.ts';
import { HELPER, HELPERS, type HelperName } from '../../isa/uapi.ts';
import { HELPER_KEYS, prototypeOf } from '../helpers/index.ts';
import type { KernelImage } from '../image/image.ts';
import { callDistance } from '../rewrite/address.ts';
import { MAP_OPS } from '../rewrite/fixups/map-ops.ts';
import type { HelperFn } from './machine.ts';
import { RunHash } from './maps/hash.ts';
import type { HelperTable, KfuncTable, ProgramSource } from './program.ts';
import type { RunMap } from './run-map.ts';

export interface FinishedSource {
  name: string;
  image: KernelImage;
  /** FinishedProgram.insns, or the decoded `xlated` of a program, where maps stand by their id. */
  insns: readonly Insn[];
  /** First instruction of each function. */
  starts: readonly number[];
  /** Maps of the machine by id, where the instructions name them so. */
  mapById?: (id: number) => RunMap | undefined;
  helpers: readonly HelperTable[];
  kfuncs?: KfuncTable;
}

/** Prototypes whose key is not the helper's name with something behind it. */
const OTHER_NAMES: Readonly<Record<string, HelperName>> = { get_raw_smp_processor_id: 'get_smp_processor_id' };

/** Helper that a prototype's key is a variant of. */
function helperOfKey(key: string): HelperName | undefined {
  if (key in HELPER) return key as HelperName;
  const other = OTHER_NAMES[key];
  if (other !== undefined) return other;
  const longest = HELPERS.filter((name) => key.startsWith(`${name}_`)).sort((a, b) => b.length - a.length);
  return longest[0];
}

let helperBySymbol: Map<string, HelperName> | undefined;

/** Helper that a function of the kernel is, by its symbol. */
function helperOfSymbol(symbol: string): HelperName | undefined {
  if (helperBySymbol === undefined) {
    helperBySymbol = new Map();
    for (const ops of Object.values(MAP_OPS)) {
      for (const [name, at] of Object.entries(ops)) helperBySymbol.set(at, name as HelperName);
    }
    for (const key of HELPER_KEYS) {
      const name = helperOfKey(key);
      if (name !== undefined) helperBySymbol.set(prototypeOf(key).symbol, name);
    }
  }
  return helperBySymbol.get(symbol);
}

/** What inlined look-ups call: the element, not its value. rule: __htab_map_lookup_elem, 6.18 */
const lookupElement: HelperFn = (m, r1, r2) => {
  const map = m.map(r1);
  if (!(map instanceof RunHash)) throw m.fault('no hash table');
  return map.elementAddress(m.memory.bytesAt(r2, map.map.keySize));
};
const FUNCTIONS: Readonly<Record<string, HelperFn>> = { __htab_map_lookup_elem: lookupElement };

/** What a call by distance leads to, by the symbols of the image. */
function functionsByDistance(source: FinishedSource): Map<number, HelperFn> {
  const { image, insns, helpers, kfuncs } = source;
  const base = image.symbolAddress('__bpf_call_base') ?? 0n;
  const found = new Map<number, HelperFn>();
  for (const { code, src, imm } of insns) {
    if (code !== CALL || src === CALL_KIND.PSEUDO || found.has(imm)) continue;
    const symbol = image.symbolAt(BigInt.asUintN(64, base + BigInt(imm)));
    if (symbol === undefined || callDistance(image, symbol) !== imm) continue;
    const name = helperOfSymbol(symbol);
    const table = name && helpers.findLast((t) => t[name] !== undefined);
    const fn = FUNCTIONS[symbol] ?? kfuncs?.[symbol] ?? (name && table?.[name]);
    if (fn !== undefined) found.set(imm, fn);
  }
  return found;
}
const CALL = 0x85;

/** The program for prepare(). */
export function finishedProgram(source: FinishedSource): ProgramSource {
  const { insns, starts } = source;
  const functions = functionsByDistance(source);
  return {
    name: source.name,
    insns,
    callee: (_, insn) => functions.get(insn.imm),
    callTarget: (i, insn) => (insn.src === PSEUDO.FUNC ? starts[insns[i + 1].imm] : i + 1 + insn.off),
    immediate(i, insn) {
      if (insn.src !== PSEUDO.MAP_FD && insn.src !== PSEUDO.MAP_VALUE) return undefined;
      const map = source.mapById?.(insn.imm)?.map;
      if (map === undefined) return undefined;
      return insn.src === PSEUDO.MAP_FD ? map.address : (map.valueAddress ?? 0n) + BigInt(insns[i + 1].imm >>> 0);
    },
  };
}
