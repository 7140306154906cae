// Loading an object: maps and programs come into being in a kernel, in the order and by the rules of libbpf 1.8.
import { readFileSync } from 'node:fs';
import { type Btf, BtfError } from '../btf/btf.ts';
import { parseBtfFile } from '../btf/file.ts';
import { SysError } from '../errno.ts';
import { encodeInsns, insn } from '../isa/insn.ts';
import { CLASS, JMP } from '../isa/opcode.ts';
import { PROG_TYPE } from '../isa/uapi.ts';
import type { Kernel } from '../syscall.ts';
import { adopt, createMaps, fillProgramArrays } from './create-maps.ts';
import { errstr, LIBBPF_ERRNO, ObjectError } from './errors.ts';
import { findExceptionCallback } from './exception-callback.ts';
import { Features } from './features.ts';
import { errnoOf, KernelBtf } from './kernel-btf.ts';
import { linkExceptionCallback, linkProgram, markFunctionAddresses } from './link-code.ts';
import { LOG_BYTES, loadBtf } from './load-btf.ts';
import { loadProgram, replaceOldHelpers } from './load-program.ts';
import { isInternal, type LoadState, stateOf } from './load-state.ts';
import { MAP_FLAG } from './maps.ts';
import { Messages, type Print } from './print.ts';
import { sortRelocs } from './prog-relocs.ts';
import { relocateCore } from './relocate-core.ts';
import { relocateProgramData } from './relocate-data.ts';
import { resolveExterns } from './resolve-externs.ts';
import type { MapSpec, ObjectSpec, ProgramSpec } from './spec.ts';
import { adjustAutoload, finishStructOps, initStructOps } from './struct-ops-load.ts';

const PAGE_BYTES = 4096;
const MOV64_K = CLASS.ALU64 | 0xb0;
const TRIVIAL = encodeInsns([insn(MOV64_K), insn(CLASS.JMP | JMP.EXIT)]);
const BPF_FS = '/sys/fs/bpf';

export interface LoadOptions {
  /** Names of the programs to load; those that the object loads by itself unless given. All maps are made. */
  programs?: readonly string[] | undefined;
  /** Verifier log level: 0 asks for a log only after a failure. */
  logLevel?: number;
  /** Bytes of the log buffer, which then never grows; unless given it begins at 16 MiB less one and grows. */
  logSize?: number;
  print?: Print | undefined;
  /** File with BTF (raw, or in ELF) to take in place of the kernel's for CO-RE. */
  kernelBtfPath?: string | undefined;
  /** The same BTF, already read. */
  kernelBtf?: Btf;
}

export interface LoadedMap {
  spec: MapSpec;
  /** Name that the kernel gave back for a map that was found, otherwise the object's. */
  name: string;
  fd: number;
  /** Found where it was pinned, or given. */
  reused: boolean;
  /** struct_ops: the value to store at key 0, which registers the struct. */
  value: Uint8Array | undefined;
}

export interface LoadedProgram {
  spec: ProgramSpec;
  name: string;
  fd: number;
  /** The verifier's log, where one was asked for. */
  log: string;
}

/** Descriptors of everything that was made; they belong to the kernel value and live until it closes them. */
export interface LoadedObject {
  spec: ObjectSpec;
  /** By the object's name of the map; in libbpf's order. */
  maps: Map<string, LoadedMap>;
  programs: Map<string, LoadedProgram>;
}

/** BTF of a file: raw, or in the section .BTF of an ELF file. Throws SysError or BtfError. */
export function readBtfFile(path: string): Btf {
  let bytes: Uint8Array;
  try {
    bytes = new Uint8Array(readFileSync(path));
  } catch (error) {
    throw new SysError(-((error as NodeJS.ErrnoException).errno ?? -5));
  }
  return parseBtfFile(bytes, path);
}

/**
 * Loads an object. Throws LoadError when a program is refused, ObjectError when something before that fails; whatever
 * had been made is closed again then, and maps that were pinned by the load are unpinned.
 */
export function loadObject(kernel: Kernel, spec: ObjectSpec, options: LoadOptions = {}): LoadedObject {
  const messages = new Messages(options.print);
  if (!spec.littleEndian) {
    messages.warn(`object '${spec.name}': loading non-native endianness is unsupported`);
    throw new ObjectError(LIBBPF_ERRNO.ENDIAN);
  }
  const features = new Features(kernel, messages);
  const { kernelBtf, kernelBtfPath } = options;
  const state: LoadState = {
    kernel,
    messages,
    features,
    kernelBtf: new KernelBtf(kernel, messages, features),
    ...stateOf(spec),
    fdArray: [],
    customBtf: kernelBtf ? () => kernelBtf : kernelBtfPath !== undefined ? () => readBtfFile(kernelBtfPath) : undefined,
    btfFd: -1,
    arenaDataOffset: 0,
    jumpTables: [],
  };
  const log = {
    level: options.logLevel ?? 0,
    size: options.logSize ?? LOG_BYTES,
    fixed: options.logSize !== undefined,
  };
  chooseSubset(state, options.programs);
  let prepared = false;
  try {
    prepare(state, log.level);
    prepared = true;
    for (const program of state.programs) {
      if (program.spec.subprogram) continue;
      if (program.autoload) loadProgram(state, program, log);
      else messages.debug(() => `prog '${program.spec.name}': skipped loading`);
    }
    fillProgramArrays(state);
    finishStructOps(state);
  } catch (error) {
    undo(state);
    if (prepared && error instanceof SysError) messages.warn(`failed to load object '${spec.path}'`);
    throw asObjectError(error);
  } finally {
    state.kernelBtf.close();
    for (const { fd } of state.jumpTables) kernel.close(fd);
    if (state.btfFd >= 0) kernel.close(state.btfFd);
  }
  return {
    spec,
    maps: new Map(
      state.maps
        .filter((m) => m.fd >= 0)
        .map((m) => {
          const value = m.spec.structOps ? m.value : undefined;
          return [m.spec.name, { spec: m.spec, name: m.name, fd: m.fd, reused: m.reused, value }];
        }),
    ),
    programs: new Map(
      state.programs
        .filter((p) => p.fd >= 0)
        .map((p) => [p.spec.name, { spec: p.spec, name: p.spec.name, fd: p.fd, log: p.log }]),
    ),
  };
}

/** A failure of the kernel, or of BTF that refers to what is not there, as one of loading. */
export function asObjectError(error: unknown): unknown {
  if (error instanceof ObjectError) return error;
  if (error instanceof SysError) return new ObjectError(error.errno);
  return error instanceof BtfError ? new ObjectError('EINVAL', error.message) : error;
}

function chooseSubset(state: LoadState, names: readonly string[] | undefined): void {
  if (!names) return;
  for (const program of state.programs) {
    if (!program.spec.subprogram) program.autoload = names.includes(program.spec.name);
  }
}

/** Everything up to the programs: externs, relocations, BTF, maps. */
export function prepare(state: LoadState, logLevel: number): void {
  const { messages, features, maps, programs, spec } = state;
  for (const map of maps)
    if (map.spec.reuseFd !== undefined) adopt(map, map.spec.reuseFd, infoOf(state, map.spec.reuseFd));
  // In the first user namespace, where there is nothing to delegate, Linux gives no tokens.
  messages.debug(
    () => `object '${spec.name}': failed (-95) to create BPF token from '${BPF_FS}', skipping optional step...`,
  );
  if (!state.loader) {
    probeLoading(state);
    if (needsKernelBtf(state)) state.kernelBtf.load();
  }
  resolveExterns(state);
  for (const map of maps) {
    if (isInternal(map.spec) && !features.supports('ARRAY_MMAP')) map.flags &= ~MAP_FLAG.MMAPABLE;
  }
  initStructOps(state);
  adjustAutoload(state);
  relocate(state);
  loadBtf(state, logLevel);
  createMaps(state);
  for (const { insns } of programs) replaceOldHelpers(state, insns);
}

function infoOf(state: LoadState, fd: number): ReturnType<Kernel['mapInfo']> {
  return state.kernel.mapInfo(fd);
}

/** Makes sure that a trivial program loads; throws ObjectError. */
function probeLoading(state: LoadState): void {
  const { kernel, messages, features } = state;
  features.supports('MEMCG_ACCOUNT');
  let failure = 0;
  for (const type of [PROG_TYPE.socket_filter, PROG_TYPE.tracepoint]) {
    try {
      kernel.close(kernel.progLoad({ type, insns: TRIVIAL, license: 'GPL' }));
      return;
    } catch (error) {
      failure = errnoOf(error);
    }
  }
  messages.warn(
    `Error in bpf_object__probe_loading(): ${errstr(failure)}. Couldn't load trivial BPF program. Make sure your ` +
      'kernel supports BPF (CONFIG_BPF_SYSCALL=y) and/or that RLIMIT_MEMLOCK is set to big enough value.',
  );
  throw new ObjectError(failure);
}

function needsKernelBtf(state: LoadState): boolean {
  const { spec, programs, externs, maps } = state;
  if (spec.btfExt?.coreRelos.groups.length && !state.customBtf) return true;
  if (externs.some((e) => e.spec.kind === 'ksym' && e.spec.typeId)) return true;
  const byType = (type: number, attachProgFd: number): boolean =>
    type === PROG_TYPE.struct_ops || type === PROG_TYPE.lsm || (type === PROG_TYPE.tracing && !attachProgFd);
  if (programs.some((p) => !p.spec.subprogram && p.autoload && byType(p.spec.type, p.spec.attachProgFd))) return true;
  return maps.some((m) => m.spec.kind === 'struct_ops');
}

/** CO-RE, then calls, then references to data. */
function relocate(state: LoadState): void {
  const { spec, messages, programs, features, maps } = state;
  if (spec.btfExt) {
    try {
      relocateCore(state);
    } catch (error) {
      messages.warn(`failed to perform CO-RE relocations: ${errstr(errnoOf(error))}`);
      throw error;
    }
    for (const program of programs) sortRelocs(program.relocs);
  }
  if (spec.arenaMap >= 0 && features.supports('LDIMM64_FULL_RANGE_OFF')) {
    const size = spec.arenaData?.length ?? 0;
    const room = maps[spec.arenaMap].maxEntries * PAGE_BYTES;
    state.arenaDataOffset = room - Math.ceil(size / PAGE_BYTES) * PAGE_BYTES;
  }
  markFunctionAddresses(programs);
  const wanted = programs.filter((p) => !p.spec.subprogram && p.autoload);
  for (const program of wanted) {
    try {
      linkProgram(state, program);
    } catch (error) {
      messages.warn(`prog '${program.spec.name}': failed to relocate calls: ${errstr(errnoOf(error))}`);
      throw error;
    }
    findExceptionCallback(state, program);
    linkExceptionCallback(state, program);
  }
  for (const program of wanted) {
    relocateProgramData(state, program);
    // Kernels without the tag would need other types for context arguments; all that are met here have it.
    if (spec.btfExt && program.funcInfo) features.supports('ARG_CTX_TAG');
  }
}

/** Closes what a failed load had made. */
function undo(state: LoadState): void {
  const { kernel, maps, programs } = state;
  for (const map of maps) {
    if (map.pinned && !map.reused && map.spec.pinPath !== undefined) kernel.treeUnlink(map.spec.pinPath);
    if (map.fd >= 0 && map.fd !== map.spec.reuseFd) kernel.close(map.fd);
  }
  for (const { fd } of programs) if (fd >= 0) kernel.close(fd);
}
