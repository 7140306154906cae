// What an object file says, as plain data: the same on every machine, before any kernel is asked.
import type { Btf } from '../btf/btf.ts';
import type { Insn } from '../isa/insn.ts';
import type { BtfExt, CoreRelo } from './btf-ext.ts';
import type { SectionRule } from './sections.ts';

/** Kinds of relocations; the order is libbpf's, which sorts by it. */
export const RELOC = {
  /** ldimm64 of a map. */
  MAP: 0,
  /** Call of a function of .text. */
  CALL: 1,
  /** ldimm64 of an address in a data section. */
  DATA: 2,
  /** ldimm64 of an extern. */
  EXTERN_LD64: 3,
  /** Call of a kernel function. */
  EXTERN_CALL: 4,
  /** ldimm64 of the address of a function of .text. */
  SUBPROG_ADDR: 5,
  /** CO-RE. */
  CORE: 6,
  /** ldimm64 of a jump table. */
  INSN_ARRAY: 7,
} as const;

/** A relocation of one instruction. */
export interface RelocSpec {
  /** RELOC. */
  type: number;
  /** Index of the instruction in its program. */
  insn: number;
  /** MAP, DATA: index in ObjectSpec.maps. */
  map: number;
  /** CALL, DATA, SUBPROG_ADDR, INSN_ARRAY: value of the symbol, in bytes of its section. */
  offset: number;
  /** EXTERN_*: index in ObjectSpec.externs. */
  extern: number;
  /** INSN_ARRAY: bytes of the table. */
  size: number;
  core?: CoreRelo;
}

/** A function of the object: an entry-point program, or a subprogram of .text. */
export interface ProgramSpec {
  name: string;
  /** Section name without a leading '?'. */
  section: string;
  sectionIndex: number;
  /** First instruction, counted from the start of the section. */
  start: number;
  /** As in the file, calls and addresses not yet filled in. */
  insns: Insn[];
  relocs: RelocSpec[];
  /** Lies in .text: loaded only as a part of the programs that call it. */
  subprogram: boolean;
  /** Global or weak symbol. */
  global: boolean;
  /** Global but hidden: its BTF is made static, so that the verifier sees it with its caller. */
  markStatic: boolean;
  /** False of sections that begin with '?'. */
  autoload: boolean;
  /** What the section name says; undefined when it says nothing, or when the type was set by hand. */
  rule: SectionRule | undefined;
  type: number;
  expectedAttachType: number;
  /** prog_flags of the load, added to those that the section asks for. */
  flags: number;
  ifindex: number;
  /** Program that this one replaces or traces, by descriptor. */
  attachProgFd: number;
  /** Set by struct_ops maps before the load. */
  attachBtfId: number;
  attachBtfObjFd: number;
}

export type MapKind = 'user' | 'data' | 'bss' | 'rodata' | 'kconfig' | 'struct_ops';

export interface MapSpec {
  kind: MapKind;
  name: string;
  /** Section name of data maps, whole. */
  section: string;
  sectionIndex: number;
  /** Bytes from the start of the section. */
  sectionOffset: number;
  /** User maps: number of the variable in the DATASEC `.maps`. */
  variable: number;
  type: number;
  keySize: number;
  valueSize: number;
  maxEntries: number;
  flags: number;
  numaNode: number;
  mapExtra: bigint;
  btfKeyTypeId: number;
  btfValueTypeId: number;
  ifindex: number;
  /** Template of a map in map. */
  inner?: MapSpec;
  /** Map in map, program array: index of the map or program of each slot. */
  slots: (number | undefined)[];
  /** Where the map is pinned when it is made, or found instead. */
  pinPath?: string;
  /** First contents of data maps; undefined means zeroes (`valueSize` of them). */
  initialValue?: Uint8Array;
  /** False: not created; programs that use it are refused by the verifier. */
  autocreate: boolean;
  /** Descriptor of an existing map to use instead. */
  reuseFd?: number;
  structOps?: StructOpsSpec;
}

/** The contents of a struct_ops map. */
export interface StructOpsSpec {
  /** BTF id of the struct in the object. */
  typeId: number;
  /** Bytes as in the file, function pointers zero. */
  data: Uint8Array;
  /** By member: index of the program it points to. */
  programs: (number | undefined)[];
}

export type KconfigType = 'char' | 'bool' | 'int' | 'tristate' | 'chars';

export interface ExternSpec {
  kind: 'kconfig' | 'ksym';
  name: string;
  /** Name without its flavour (___x), where it has one. */
  essentialName: string | undefined;
  symbol: number;
  weak: boolean;
  /** VAR or FUNC in the object's BTF. */
  btfId: number;
  func: boolean;
  /** kconfig: how the value is stored in the map `.kconfig`. */
  config?: { type: KconfigType; size: number; align: number; offset: number; signed: boolean };
  /** ksym: the type, modifiers and typedefs skipped; 0 for a typeless one. */
  typeId: number;
}

export interface ObjectSpec {
  /** At most 15 bytes. */
  name: string;
  /** As messages call the object. */
  path: string;
  /** Byte order of the machine that the object is for; instructions here are decoded whatever it is. */
  littleEndian: boolean;
  license: string;
  /** Of the section "version"; undefined: the running kernel's. */
  kernVersion: number | undefined;
  /** Sorted by section and offset. */
  programs: ProgramSpec[];
  /** User maps in the order of their declaration, then data sections, kconfig, struct_ops. */
  maps: MapSpec[];
  externs: ExternSpec[];
  /** With sizes, offsets and externs fixed up. */
  btf: Btf | undefined;
  btfExt: BtfExt | undefined;
  /** Section number of .text, 0 when there is none. */
  textSection: number;
  hasStructOps: boolean;
  /** Index of the map of type arena, -1 when there is none. */
  arenaMap: number;
  /** Initial contents of the arena. */
  arenaData: Uint8Array | undefined;
  /** Contents of .jumptables. */
  jumpTables: Uint8Array | undefined;
}

/** Entry-point programs, in libbpf's order. */
export const entryPrograms = (spec: ObjectSpec): ProgramSpec[] => spec.programs.filter((p) => !p.subprogram);

/** Sets the type of a program by hand; what its section said besides is then forgotten. Rule: libbpf 1.8. */
export function setProgramType(program: ProgramSpec, type: number): void {
  if (program.type === type) return;
  program.type = type;
  program.rule = undefined;
}

/** An independent copy, to change what is loaded without touching the original. Bytes and BTF are shared. */
export function cloneSpec(spec: ObjectSpec): ObjectSpec {
  const cloneMap = (map: MapSpec): MapSpec => ({
    ...map,
    slots: [...map.slots],
    ...(map.inner && { inner: cloneMap(map.inner) }),
    ...(map.structOps && { structOps: { ...map.structOps, programs: [...map.structOps.programs] } }),
  });
  return {
    ...spec,
    programs: spec.programs.map((p) => ({
      ...p,
      insns: p.insns.map((x) => ({ ...x })),
      relocs: p.relocs.map((r) => ({ ...r })),
    })),
    maps: spec.maps.map(cloneMap),
    externs: spec.externs.map((e) => ({ ...e })),
  };
}
