// The few bpf(2) calls that capturing needs, straight to the running kernel. x86-64 Linux, root.
import koffi from 'koffi';
import { PROG_TYPE } from '../../src/isa/uapi.ts';

const SYS_BPF = 321;
const COMMAND = { mapCreate: 0, progLoad: 5, progTestRun: 10, objGetInfoByFd: 15 } as const;
const ATTR_BYTES = 144;
const PROG_INFO_BYTES = 232;
/** BPF_F_SLEEPABLE */
const SLEEPABLE = 16;

const libc = koffi.load(null);
const syscall = libc.func('long syscall(long number, int command, void *attr, unsigned int size)');

/** Buffers whose addresses stand in attributes: kept so that they are not collected before the call. */
const kept: Uint8Array[] = [];
const pointer = (bytes: Uint8Array): bigint => {
  kept.push(bytes);
  return BigInt(koffi.address(bytes) as bigint | number);
};

function bpf(command: number, attr: Uint8Array): number {
  const result = Number(syscall(SYS_BPF, command, attr, attr.length));
  if (result < 0) throw new Error(`bpf command ${command}: errno ${koffi.errno()}`);
  return result;
}

/** A loaded program as bpf_prog_info tells it. */
export interface LoadedCode {
  xlated: Buffer;
  jited: Buffer;
  address: bigint;
}

/** BPF_MAP_CREATE with nothing but type and sizes. */
export function createMap(type: number, keySize: number, valueSize: number, maxEntries: number): number {
  const attr = Buffer.alloc(ATTR_BYTES);
  [type, keySize, valueSize, maxEntries].forEach((value, i) => {
    attr.writeUInt32LE(value, i * 4);
  });
  return bpf(COMMAND.mapCreate, attr);
}

function load(type: number, insns: Uint8Array, flags = 0): number {
  const attr = Buffer.alloc(ATTR_BYTES);
  attr.writeUInt32LE(type, 0);
  attr.writeUInt32LE(insns.length / 8, 4);
  attr.writeBigUInt64LE(pointer(insns), 8);
  attr.writeBigUInt64LE(pointer(Buffer.from('GPL\0')), 16);
  attr.writeUInt32LE(flags, 44);
  return bpf(COMMAND.progLoad, attr);
}

/** Runs a program of type syscall once, with a context of so many bytes that it may change. */
export function runSyscallProgram(insns: Uint8Array, contextBytes: number): Buffer {
  const fd = load(PROG_TYPE.syscall, insns, SLEEPABLE);
  const context = Buffer.alloc(contextBytes);
  const attr = Buffer.alloc(ATTR_BYTES);
  attr.writeUInt32LE(fd, 0);
  attr.writeUInt32LE(contextBytes, 40);
  attr.writeBigUInt64LE(pointer(context), 48);
  bpf(COMMAND.progTestRun, attr);
  return context;
}

/** Loads a GPL program and reads back what Linux made of it. The descriptor stays open until the process ends. */
export function loadAndRead(type: number, insns: Uint8Array): LoadedCode {
  const fd = load(type, insns);

  const info = Buffer.alloc(PROG_INFO_BYTES);
  const ask = Buffer.alloc(ATTR_BYTES);
  ask.writeUInt32LE(fd, 0);
  ask.writeUInt32LE(info.length, 4);
  ask.writeBigUInt64LE(pointer(info), 8);
  bpf(COMMAND.objGetInfoByFd, ask);
  const jited = Buffer.alloc(info.readUInt32LE(16));
  const xlated = Buffer.alloc(info.readUInt32LE(20));
  const address = Buffer.alloc(8);
  info.fill(0);
  info.writeUInt32LE(jited.length, 16);
  info.writeUInt32LE(xlated.length, 20);
  info.writeBigUInt64LE(pointer(jited), 24);
  info.writeBigUInt64LE(pointer(xlated), 32);
  info.writeUInt32LE(1, 104);
  info.writeBigUInt64LE(pointer(address), 112);
  bpf(COMMAND.objGetInfoByFd, ask);
  return { xlated, jited, address: address.readBigUInt64LE(0) };
}
