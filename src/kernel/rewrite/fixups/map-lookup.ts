// Lookups in maps whose structure is simple enough to be walked by the program itself.
import type { Insn } from '../../../isa/insn.ts';
import { ALU, JMP, SIZE } from '../../../isa/opcode.ts';
import type { MapTypeName } from '../../../isa/uapi.ts';
import type { KernelImage } from '../../image/image.ts';
import type { KMap } from '../../objects.ts';
import { callDistance } from '../address.ts';
import { aluImm, aluReg, call, goto, jumpImm, load, movImm, movPerCpu, storeImm } from '../build.ts';

/** BPF_F_INNER_MAP: max_entries differs from map to map. */
const INNER_MAP = 1 << 12;
/** Registers of the call: result, map, key. */
const RET = 0;
const MAP = 1;
const KEY = 2;

/** Bytes of a pointer. */
const POINTER = 8;

const roundUp8 = (bytes: number): number => (bytes + 7) & ~7;
const isPowerOf2 = (n: number): boolean => n > 0 && (n & (n - 1)) === 0;
/** Mask of the next power of two: what an index is masked with against speculation. */
export const indexMask = (entries: number): number => (entries <= 1 ? 0 : -1 >>> Math.clz32(entries - 1)) | 0;

type LookupBuilder = (image: KernelImage, map: KMap) => Insn[] | undefined;

/** The element found, if any, then `rest` unless it was not found. */
function inHash(image: KernelImage, map: KMap, beforeValue: Insn[], rest: Insn[]): Insn[] {
  return [
    call(callDistance(image, '__htab_map_lookup_elem')),
    jumpImm(JMP.JEQ, RET, 0, beforeValue.length + 1 + rest.length),
    ...beforeValue,
    aluImm(ALU.ADD, RET, image.offsetOf('htab_elem', 'key') + roundUp8(map.keySize)),
    ...rest,
  ];
}

/** Marks the element as used recently, unless it is. */
function touch(image: KernelImage): Insn[] {
  const ref = image.offsetOf('htab_elem', 'lru_node') + image.offsetOf('bpf_lru_node', 'ref');
  return [load(SIZE.B, MAP, RET, ref), jumpImm(JMP.JNE, MAP, 0, 1), storeImm(SIZE.B, RET, ref, 1)];
}

const follow = (): Insn => load(SIZE.DW, RET, RET, 0);

/** `rest` works on the address of the element, which is 0 for an index that is too large. */
function inArray(image: KernelImage, map: KMap, size: number, rest: Insn[]): Insn[] {
  const masked = map.bypassSpecV1 ? [] : [aluImm(ALU.AND, RET, indexMask(map.maxEntries), 32)];
  const scaled = isPowerOf2(size) ? aluImm(ALU.LSH, RET, 31 - Math.clz32(size)) : aluImm(ALU.MUL, RET, size);
  const found = [...masked, scaled, aluReg(ALU.ADD, RET, MAP), ...rest, goto(1)];
  return [
    aluImm(ALU.ADD, MAP, image.offsetOf('bpf_array', 'value')),
    load(SIZE.W, RET, KEY, 0),
    jumpImm(JMP.JGE, RET, map.maxEntries, found.length),
    ...found,
    movImm(RET, 0),
  ];
}

function inXskMap(image: KernelImage, map: KMap): Insn[] {
  return [
    load(SIZE.W, RET, KEY, 0),
    jumpImm(JMP.JGE, RET, map.maxEntries, 5),
    aluImm(ALU.LSH, RET, 3),
    aluImm(ALU.ADD, MAP, image.offsetOf('xsk_map', 'xsk_map')),
    aluReg(ALU.ADD, RET, MAP),
    follow(),
    goto(1),
    movImm(RET, 0),
  ];
}

const fixed = (map: KMap): boolean => (map.flags & INNER_MAP) === 0;

/** rule: map_gen_lookup of each map type, 6.18; undefined where the map is called after all */
export const LOOKUP: Readonly<Partial<Record<MapTypeName, LookupBuilder>>> = {
  hash: (image, map) => inHash(image, map, [], []),
  lru_hash: (image, map) => inHash(image, map, touch(image), []),
  percpu_hash: (image, map) => inHash(image, map, [], [follow(), movPerCpu(RET, RET)]),
  hash_of_maps: (image, map) => inHash(image, map, [], [follow()]),
  array: (image, map) => (fixed(map) ? inArray(image, map, roundUp8(map.valueSize), []) : undefined),
  percpu_array: (image, map) =>
    fixed(map) ? inArray(image, map, POINTER, [follow(), movPerCpu(RET, RET)]) : undefined,
  array_of_maps: (image, map) => inArray(image, map, POINTER, [follow(), jumpImm(JMP.JEQ, RET, 0, 1)]),
  xskmap: inXskMap,
};
