// What one load works on: copies of the object's functions and maps, filled in step by step.
import type { Btf } from '../btf/btf.ts';
import type { Insn } from '../isa/insn.ts';
import type { InfoRecords, Kernel } from '../syscall.ts';
import type { Features } from './features.ts';
import type { KernelBtf } from './kernel-btf.ts';
import type { LoaderProgram } from './light/loader-program.ts';
import type { Messages } from './print.ts';
import type { ExternSpec, MapSpec, ObjectSpec, ProgramSpec, RelocSpec } from './spec.ts';

/** A function while it is put together. */
export interface ProgramState {
  spec: ProgramSpec;
  autoload: boolean;
  /** Its own instructions, then those of the subprograms that it needs. */
  insns: Insn[];
  relocs: RelocSpec[];
  /** Where it stands in the program being put together; 0 for entry points and for what is not in it. */
  offset: number;
  /** Subprograms appended so far: their place in their section and here. */
  parts: { start: number; offset: number }[];
  funcInfo: InfoRecords | undefined;
  lineInfo: InfoRecords | undefined;
  /** Instructions that load a map's descriptor or an address in it. */
  mapLoads: { insn: number; map: number }[];
  /** Index of the function that handles exceptions, -1 for none. */
  exceptionCallback: number;
  attachBtfId: number;
  attachBtfObjFd: number;
  expectedAttachType: number;
  fd: number;
  log: string;
}

/** A map while it is made. */
export interface MapState {
  spec: MapSpec;
  name: string;
  type: number;
  keySize: number;
  valueSize: number;
  maxEntries: number;
  flags: number;
  mapExtra: bigint;
  btfKeyTypeId: number;
  btfValueTypeId: number;
  /** struct_ops: type of the value in the kernel's BTF, and the module that has it. */
  vmlinuxValueTypeId: number;
  moduleBtfFd: number;
  autocreate: boolean;
  /** First contents; undefined means zeroes. */
  value: Uint8Array | undefined;
  fd: number;
  reused: boolean;
  pinned: boolean;
  /** struct_ops: byte offset in `value` of each member's program, and that program. */
  structOps: { offset: number; program: number }[];
}

/** An extern once the kernel has been asked. */
export interface ExternState {
  spec: ExternSpec;
  resolved: boolean;
  /** Typeless kernel symbols. */
  address: bigint;
  btfId: number;
  btfObjFd: number;
  /** kfuncs of modules: place in the table of descriptors. */
  fdIndex: number;
}

export interface LoadState {
  readonly kernel: Kernel;
  readonly spec: ObjectSpec;
  readonly messages: Messages;
  readonly features: Pick<Features, 'supports'>;
  readonly kernelBtf: KernelBtf;
  readonly programs: ProgramState[];
  readonly maps: MapState[];
  readonly externs: ExternState[];
  /** Descriptors that calls of modules' kfuncs refer to; entry 0 stays unused. */
  readonly fdArray: number[];
  /** BTF in place of vmlinux's for CO-RE. */
  readonly customBtf: (() => Btf) | undefined;
  /** -1 while the object's BTF is not loaded. */
  btfFd: number;
  /** Light skeletons: what would be asked of the kernel is written down here instead. */
  readonly loader?: LoaderProgram;
  /** Where the data of the arena begins. */
  arenaDataOffset: number;
  /** Jump tables made so far. */
  readonly jumpTables: { program: ProgramState; offset: number; fd: number }[];
}

const programState = (spec: ProgramSpec): ProgramState => ({
  spec,
  autoload: spec.autoload,
  insns: spec.insns.map((x) => ({ ...x })),
  relocs: spec.relocs.map((r) => ({ ...r })),
  offset: 0,
  parts: [],
  funcInfo: undefined,
  lineInfo: undefined,
  mapLoads: [],
  exceptionCallback: -1,
  attachBtfId: spec.attachBtfId,
  attachBtfObjFd: spec.attachBtfObjFd,
  expectedAttachType: spec.expectedAttachType,
  fd: -1,
  log: '',
});

export const mapState = (spec: MapSpec): MapState => ({
  spec,
  name: spec.name,
  type: spec.type,
  keySize: spec.keySize,
  valueSize: spec.valueSize,
  maxEntries: spec.maxEntries,
  flags: spec.flags,
  mapExtra: spec.mapExtra,
  btfKeyTypeId: spec.btfKeyTypeId,
  btfValueTypeId: spec.btfValueTypeId,
  vmlinuxValueTypeId: 0,
  moduleBtfFd: -1,
  autocreate: spec.autocreate,
  value: spec.initialValue,
  fd: -1,
  reused: false,
  pinned: false,
  structOps: [],
});

const externState = (spec: ExternSpec): ExternState => ({
  spec,
  resolved: false,
  address: 0n,
  btfId: 0,
  btfObjFd: 0,
  fdIndex: 0,
});

/** The parts of a state that come from the object. */
export const stateOf = (spec: ObjectSpec): Pick<LoadState, 'spec' | 'programs' | 'maps' | 'externs'> => ({
  spec,
  programs: spec.programs.map(programState),
  maps: spec.maps.map(mapState),
  externs: spec.externs.map(externState),
});

/** Data sections, which libbpf calls internal maps. */
export const isInternal = (map: MapSpec): boolean => map.kind !== 'user' && map.kind !== 'struct_ops';
