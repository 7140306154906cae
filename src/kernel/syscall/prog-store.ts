// A finished program as a row of the state file, and back.
import { encodeInsns } from '../../isa/insn.ts';
import type { InfoRecords, ProgInfo, ProgSource } from '../../syscall.ts';
import type { FunctionShape, PokeSite } from '../jit/jit.ts';
import { concatBytes } from '../maps/numbers.ts';
import { bytesOf, jsonColumn } from '../maps/record.ts';
import type { HookableFunction } from '../objects.ts';
import type { FinishedProgram } from '../program.ts';
import type { Database, Row } from '../store/database.ts';
import { damaged } from '../store/state-error.ts';
import type { FuncInfo, LineInfo } from '../verifier/env.ts';

const HEX = /^[0-9a-f]+$/;
const FUNC_INFO_BYTES = 8;
const LINE_INFO_BYTES = 16;

/** What a load knows of the program besides what the verifier left. */
export interface ProgFacts {
  id: number;
  type: number;
  name: string;
  flags: number;
  expectedAttachType: number;
  loadTime: bigint;
  uid: number;
  gpl: boolean;
  verifiedInsns: number;
  btf: number;
  attachBtfObj: number;
  attachBtf: number;
}

/** A function as the column `functions` holds it. */
interface StoredFunction {
  name: string;
  tag: string;
  address: string;
  length: number;
  start: number;
  /** Constant tail calls in its code. */
  tailCalls?: StoredTailCall[];
  /** How it was compiled. */
  shape?: FunctionShape;
  /** What holds of it, by the names below. */
  traits?: string[];
  /** Of the main function: what maps of programs want to know of the program. */
  belongs?: Belonging;
}

/** What decides which programs may lie in a map with this one, apart from its attributes. */
export interface Belonging {
  /** Prototype of the hook, as a map's owner has it. */
  hook?: string;
  /** Storages of control groups: ids of the shared and the per-CPU one, 0 for none. */
  storage: readonly number[];
  tailCallReachable: boolean;
  /** Bytes of the context that the program may touch. */
  contextBytes?: number;
}

/** What programs that hook into a function want to know of it. */
const TRAITS = {
  unreliable: 'unreliable',
  exceptionCallback: 'exception callback',
  changesPacket: 'changes packet',
  mightSleep: 'might sleep',
} as const;
export type FunctionTraits = Readonly<Record<keyof typeof TRAITS, boolean>>;
const TRAIT_NAMES = Object.keys(TRAITS) as (keyof typeof TRAITS)[];

/** A constant tail call: slot of a map, and where the code can be changed. */
export interface StoredTailCall {
  mapId: number;
  key: number;
  site: PokeSite;
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

function funcInfoBytes(records: readonly FuncInfo[]): Uint8Array {
  const out = new Uint8Array(records.length * FUNC_INFO_BYTES);
  const view = new DataView(out.buffer);
  records.forEach((r, i) => {
    view.setUint32(i * FUNC_INFO_BYTES, r.insnOff, true);
    view.setUint32(i * FUNC_INFO_BYTES + 4, r.typeId, true);
  });
  return out;
}

function lineInfoBytes(records: readonly LineInfo[]): Uint8Array {
  const out = new Uint8Array(records.length * LINE_INFO_BYTES);
  const view = new DataView(out.buffer);
  records.forEach((r, i) => {
    const at = i * LINE_INFO_BYTES;
    view.setUint32(at, r.insnOff, true);
    view.setUint32(at + 4, r.fileNameOff, true);
    view.setUint32(at + 8, r.lineOff, true);
    view.setUint32(at + 12, r.lineCol, true);
  });
  return out;
}

function addressBytes(addresses: readonly bigint[]): Uint8Array {
  const out = new Uint8Array(addresses.length * 8);
  const view = new DataView(out.buffer);
  addresses.forEach((a, i) => {
    view.setBigUint64(i * 8, a, true);
  });
  return out;
}

function addressesOf(bytes: Uint8Array): bigint[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length / 8 }, (_, i) => view.getBigUint64(i * 8, true));
}

function originBytes(origins: readonly number[]): Uint8Array {
  const out = new Uint8Array(origins.length * 4);
  const view = new DataView(out.buffer);
  origins.forEach((origin, i) => {
    view.setInt32(i * 4, origin, true);
  });
  return out;
}

/** The program as it was loaded, and which of its instructions each of the kept ones stands for. */
export function progSourceOf(row: Row): ProgSource {
  const bytes = bytesOf(row.origins);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return {
    insns: bytesOf(row.source),
    origins: Array.from({ length: bytes.length >> 2 }, (_, i) => view.getInt32(i * 4, true)),
  };
}

export function insertProgram(
  db: Database,
  facts: ProgFacts,
  program: FinishedProgram,
  traits: readonly FunctionTraits[],
  belongs: Belonging,
  source: Uint8Array,
): void {
  const functions: StoredFunction[] = program.functions.map((f, func) => ({
    name: f.name,
    tag: hex(f.tag),
    address: f.address.toString(16),
    length: f.jited.length,
    start: f.start,
    tailCalls: program.tailCalls
      .filter((tailCall) => tailCall.func === func)
      .map(({ mapId, key, site }) => ({ mapId, key, site })),
    shape: f.shape,
    traits: TRAIT_NAMES.filter((name) => traits[func]?.[name]).map((name) => TRAITS[name]),
    ...(func === 0 && { belongs }),
  }));
  db.insert('prog', {
    id: facts.id,
    type: facts.type,
    name: facts.name,
    flags: facts.flags,
    expected_attach_type: facts.expectedAttachType,
    tag: program.tag,
    load_time: facts.loadTime,
    uid: facts.uid,
    gpl: facts.gpl ? 1 : 0,
    ifindex: 0,
    verified_insns: facts.verifiedInsns,
    btf: facts.btf,
    attach_btf_obj: facts.attachBtfObj,
    attach_btf: facts.attachBtf,
    memlock: program.memlock,
    functions: JSON.stringify(functions),
    jited_line_info: addressBytes(program.jitedLineInfo),
    func_info: funcInfoBytes(program.funcInfo),
    line_info: lineInfoBytes(program.lineInfo),
    xlated: program.xlated,
    image: encodeInsns(program.insns),
    jited: concatBytes(...program.functions.map((f) => f.jited)),
    source,
    origins: originBytes(program.origins),
  });
}

function storedFunctions(row: Row): StoredFunction[] {
  const functions = jsonColumn(row, 'functions');
  const isFunction = (f: StoredFunction): boolean =>
    typeof f?.name === 'string' && HEX.test(f.tag) && HEX.test(f.address) && Number.isSafeInteger(f.length);
  if (!Array.isArray(functions) || !functions.every(isFunction)) throw damaged('a program');
  return functions;
}

export interface ProgramSymbol {
  address: bigint;
  name: string;
}

/** Symbols of a program's functions: address and name as /proc/kallsyms has them. */
export function programSymbols(row: Row): ProgramSymbol[] {
  const tag = hex(bytesOf(row.tag));
  return storedFunctions(row).map((f, i) => ({
    address: BigInt(`0x${f.address}`),
    name: `bpf_prog_${i === 0 ? tag : f.tag}${f.name === '' ? '' : `_${f.name}`}`,
  }));
}

/** A function as it can be compiled once more: where it begins among the instructions, and how it was compiled. */
export interface ProgramFunction {
  start: number;
  shape: FunctionShape | undefined;
}

export const programFunctions = (row: Row): ProgramFunction[] =>
  storedFunctions(row).map(({ start, shape }) => ({ start, shape }));

/** One function's machine code, and the tail calls in it. */
export interface ProgramCode {
  address: bigint;
  length: number;
  tailCalls: readonly StoredTailCall[];
}

/** Each function's machine code, in order. */
export const programCode = (row: Row): ProgramCode[] =>
  storedFunctions(row).map((f) => ({
    address: BigInt(`0x${f.address}`),
    length: f.length,
    tailCalls: f.tailCalls ?? [],
  }));

export const belongingOf = (row: Row): Belonging =>
  storedFunctions(row)[0]?.belongs ?? { storage: [], tailCallReachable: false };

/** Functions that have records, as programs that hook into them see them. */
export function hookableFunctions(row: Row): HookableFunction[] {
  const stored = storedFunctions(row);
  const bytes = bytesOf(row.func_info);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: Math.floor(bytes.length / FUNC_INFO_BYTES) }, (_, i) => {
    const traits = new Set(stored[i]?.traits);
    const has = Object.fromEntries(TRAIT_NAMES.map((name) => [name, traits.has(TRAITS[name])]));
    return { typeId: view.getUint32(i * FUNC_INFO_BYTES + 4, true), ...(has as FunctionTraits) };
  });
}

const records = (bytes: Uint8Array, recSize: number): InfoRecords | undefined =>
  bytes.length ? { recSize, bytes } : undefined;

export function progInfoOf(row: Row, mapIds: number[]): ProgInfo {
  const functions = storedFunctions(row);
  const u64 = (name: string): bigint => BigInt((row[name] as bigint | null) ?? 0n);
  return {
    type: Number(row.type),
    id: Number(row.id),
    tag: bytesOf(row.tag),
    name: String(row.name),
    loadTime: u64('load_time'),
    createdByUid: Number(row.uid),
    gplCompatible: Number(row.gpl) !== 0,
    mapIds,
    ifindex: Number(row.ifindex),
    netnsDev: 0n,
    netnsIno: 0n,
    btfId: Number(row.btf),
    attachBtfObjId: Number(row.attach_btf_obj),
    attachBtfId: Number(row.attach_btf),
    verifiedInsns: Number(row.verified_insns),
    runTimeNs: u64('run_time_ns'),
    runCnt: u64('run_cnt'),
    recursionMisses: u64('recursion_misses'),
    xlated: bytesOf(row.xlated),
    jited: bytesOf(row.jited),
    jitedKsyms: functions.map((f) => BigInt(`0x${f.address}`)),
    jitedFuncLens: functions.map((f) => f.length),
    progTags: functions.map((f) => Buffer.from(f.tag, 'hex')),
    funcInfo: records(bytesOf(row.func_info), FUNC_INFO_BYTES),
    lineInfo: records(bytesOf(row.line_info), LINE_INFO_BYTES),
    jitedLineInfo: addressesOf(bytesOf(row.jited_line_info)),
    memlock: Number(row.memlock),
    expectedAttachType: Number(row.expected_attach_type),
  };
}
