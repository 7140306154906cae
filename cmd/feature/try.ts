// Whether a kernel knows a program type, a map type, a helper: by trying it through the door, as libbpf's probes do.
import { ERRNO, SysError } from '../../src/errno.ts';
import { encodeInsns, type Insn, insn } from '../../src/isa/insn.ts';
import { ALU, CLASS, JMP, SRC } from '../../src/isa/opcode.ts';
import { ATTACH_TYPE, MAP_TYPE, type MapTypeName, PROG_TYPE, type ProgTypeName } from '../../src/isa/uapi.ts';
import type { Kernel, LogRequest, MapCreateAttr } from '../../src/syscall.ts';
import { localStorageBtf } from './storage-btf.ts';

const SLEEPABLE = 1 << 4;
const NO_PREALLOC = 1;
const MMAPABLE = 1 << 10;
const LOG_BYTES = 4096;

const mov = (imm: number): Insn => insn(CLASS.ALU64 | ALU.MOV | SRC.K, 0, 0, 0, imm);
const EXIT = insn(CLASS.JMP | JMP.EXIT);

/** What a type's probe program needs beyond the type. A failure that is itself the proof: `proof`. */
interface TypeProbe {
  expectedAttachType?: number;
  flags?: number;
  attachBtfId?: number;
  proof?: { errno: number; message?: string };
}

const PROBES: Readonly<Partial<Record<ProgTypeName, TypeProbe>>> = {
  cgroup_sock_addr: { expectedAttachType: ATTACH_TYPE.cgroup_inet4_connect },
  cgroup_sockopt: { expectedAttachType: ATTACH_TYPE.cgroup_getsockopt },
  sk_lookup: { expectedAttachType: ATTACH_TYPE.sk_lookup },
  lirc_mode2: { expectedAttachType: ATTACH_TYPE.lirc_mode2 },
  netfilter: { expectedAttachType: ATTACH_TYPE.netfilter },
  syscall: { flags: SLEEPABLE },
  struct_ops: { proof: { errno: ERRNO.ENOTSUPP } },
  tracing: {
    expectedAttachType: ATTACH_TYPE.trace_fentry,
    attachBtfId: 1,
    proof: { errno: ERRNO.EINVAL, message: 'attach_btf_id 1 is not a function' },
  },
  lsm: {
    expectedAttachType: ATTACH_TYPE.modify_return,
    attachBtfId: 1,
    proof: { errno: ERRNO.EINVAL, message: 'attach_btf_id 1 is not a function' },
  },
  ext: { attachBtfId: 1, proof: { errno: ERRNO.EINVAL, message: 'Cannot replace kernel functions' } },
};

/** Errno of an attempt, 0 where it succeeded; what it made is closed again. */
function attempt(kernel: Kernel, make: () => number): number {
  try {
    kernel.close(make());
    return 0;
  } catch (e) {
    if (e instanceof SysError) return e.errno;
    throw e;
  }
}

function tryProgram(kernel: Kernel, type: ProgTypeName, insns: Insn[], log?: LogRequest): boolean {
  const probe = PROBES[type] ?? {};
  const used = log ?? (probe.proof ? { level: 1, size: LOG_BYTES } : undefined);
  const errno = attempt(kernel, () =>
    kernel.progLoad({ type: PROG_TYPE[type], insns: encodeInsns(insns), license: 'GPL', log: used, ...probe }),
  );
  if (!probe.proof) return errno === 0;
  return errno === probe.proof.errno && (used?.text ?? '').includes(probe.proof.message ?? '');
}

export const haveProgType = (kernel: Kernel, type: ProgTypeName): boolean => tryProgram(kernel, type, [mov(0), EXIT]);

/** Types whose programs cannot be loaded without a target: nothing can be said of their helpers. */
const UNKNOWABLE: ReadonlySet<ProgTypeName> = new Set(['tracing', 'ext', 'lsm', 'struct_ops']);
const REFUSALS = ['invalid func ', 'unknown func ', 'program of this type cannot use helper '];

/** Whether the verifier lets a program of this type call the helper at all. */
export function haveHelper(kernel: Kernel, type: ProgTypeName, helper: number): boolean {
  if (UNKNOWABLE.has(type)) return false;
  const log: LogRequest = { level: 1, size: LOG_BYTES };
  if (tryProgram(kernel, type, [insn(CLASS.JMP | JMP.CALL, 0, 0, 0, helper), EXIT], log)) return true;
  return !REFUSALS.some((text) => log.text?.includes(text));
}

const small = { keySize: 4, valueSize: 4, maxEntries: 1 };
const storage = { keySize: 4, valueSize: 8, maxEntries: 0, flags: NO_PREALLOC, btfKeyTypeId: 1, btfValueTypeId: 3 };
const ring = { keySize: 0, valueSize: 0, maxEntries: 4096 };

/** Attributes that make a smallest map, where they are not those of a hash. */
const MAPS: Readonly<Partial<Record<MapTypeName, Omit<MapCreateAttr, 'type'>>>> = {
  stack_trace: { ...small, valueSize: 8 },
  lpm_trie: { ...small, keySize: 8, valueSize: 8, flags: NO_PREALLOC },
  rhash: { ...small, flags: NO_PREALLOC },
  cgroup_storage: { keySize: 16, valueSize: 8, maxEntries: 0 },
  percpu_cgroup_storage: { keySize: 16, valueSize: 8, maxEntries: 0 },
  queue: { ...small, keySize: 0 },
  stack: { ...small, keySize: 0 },
  bloom_filter: { ...small, keySize: 0 },
  sk_storage: storage,
  inode_storage: storage,
  task_storage: storage,
  cgrp_storage: storage,
  ringbuf: ring,
  user_ringbuf: ring,
  arena: { keySize: 0, valueSize: 0, maxEntries: 1, flags: MMAPABLE },
  insn_array: { ...small, valueSize: 16 },
  struct_ops: { ...small, btfVmlinuxValueTypeId: 1, valueTypeBtfObjFd: -1 },
};

export function haveMapType(kernel: Kernel, type: MapTypeName): boolean {
  const attr: MapCreateAttr = { type: MAP_TYPE[type], ...(MAPS[type] ?? small) };
  const held: number[] = [];
  if (type === 'array_of_maps' || type === 'hash_of_maps') {
    attr.innerMapFd = kernel.mapCreate({ type: MAP_TYPE.hash, ...small });
    held.push(attr.innerMapFd);
  }
  if (attr.btfKeyTypeId) {
    attr.btfFd = kernel.btfLoad({ bytes: localStorageBtf() });
    held.push(attr.btfFd);
  }
  const errno = attempt(kernel, () => kernel.mapCreate(attr));
  for (const fd of held) kernel.close(fd);
  return type === 'struct_ops' ? errno === ERRNO.ENOTSUPP : errno === 0;
}

const jump = (op: number, imm: number, off: number, klass: number = CLASS.JMP): Insn =>
  insn(klass | op | SRC.K, 0, 0, off, imm);

/** Programs that only newer kernels load. Key: JSON name, words of the plain line, macro. */
export const MISC: readonly { json: string; plain: string; macro: string; insns: () => Insn[] }[] = [
  {
    json: 'have_large_insn_limit',
    plain: 'Large program size limit',
    macro: 'LARGE_INSN_LIMIT',
    insns: () => [...Array.from({ length: 4096 }, () => mov(1)), EXIT],
  },
  {
    json: 'have_bounded_loops',
    plain: 'Bounded loop support',
    macro: 'BOUNDED_LOOPS',
    insns: () => [mov(10), insn(CLASS.ALU64 | ALU.SUB, 0, 0, 0, 1), jump(JMP.JNE, 0, -2), EXIT],
  },
  {
    json: 'have_v2_isa_extension',
    plain: 'ISA extension v2',
    macro: 'V2_ISA_EXTENSION',
    insns: () => [mov(0), jump(JMP.JLT, 0, 1), mov(1), EXIT],
  },
  {
    json: 'have_v3_isa_extension',
    plain: 'ISA extension v3',
    macro: 'V3_ISA_EXTENSION',
    insns: () => [mov(0), jump(JMP.JLT, 0, 1, CLASS.JMP32), mov(1), EXIT],
  },
  {
    json: 'have_v4_isa_extension',
    plain: 'ISA extension v4',
    macro: 'V4_ISA_EXTENSION',
    insns: () => [mov(0), jump(JMP.JEQ, 1, 1, CLASS.JMP32), jump(JMP.JA, 1, 0, CLASS.JMP32), mov(1), EXIT],
  },
];

export const haveMisc = (kernel: Kernel, insns: Insn[]): boolean => tryProgram(kernel, 'socket_filter', insns);

/** Whether bpf(2) is there at all. */
export const haveSyscall = (kernel: Kernel): boolean =>
  attempt(kernel, () => kernel.progLoad({ type: 0, insns: new Uint8Array(0), license: '' })) !== ERRNO.ENOSYS;
