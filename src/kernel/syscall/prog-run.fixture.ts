// Small programs of type syscall for tests: each calls one helper with what stands in a map.
import { encodeInsns, type Insn, insn, LDIMM64 } from '../../isa/insn.ts';
import { PSEUDO, SIZE } from '../../isa/opcode.ts';
import { HELPER, type HelperName, MAP_TYPE, PROG_TYPE } from '../../isa/uapi.ts';
import type { Kernel } from '../../syscall.ts';
import { call, exit, load, movImm, movReg, store } from '../rewrite/build.ts';

/** An argument: a number, the address of a byte of the map's value, or a word of the context. */
type Argument = number | { value: number } | { context: number };

export interface HelperCase {
  name: string;
  helper: HelperName;
  args: readonly Argument[];
  /** First bytes of the map's value: numbers are 32-bit words, texts end with a NUL of their own. */
  value?: readonly (number | string)[];
  gives?: 'descriptor';
}

const VALUE_BYTES = 256;
const CONTEXT_BYTES = 16;
const SLEEPABLE = 0x10;
const CTX = 6;

const wide = (dst: number, offset: number): Insn[] => [
  insn(LDIMM64, dst, PSEUDO.MAP_IDX_VALUE),
  insn(0, 0, 0, 0, offset),
];

function argument(dst: number, arg: Argument): Insn[] {
  if (typeof arg === 'number') return [movImm(dst, arg)];
  return 'value' in arg ? wide(dst, arg.value) : [load(SIZE.DW, dst, CTX, arg.context)];
}

function valueBytes(parts: readonly (number | string)[]): Uint8Array {
  const all = parts.map((part) =>
    typeof part === 'string' ? Buffer.from(part) : Buffer.from(Int32Array.of(part).buffer),
  );
  const out = new Uint8Array(VALUE_BYTES);
  out.set(Buffer.concat(all));
  return out;
}

/** Makes the map and loads the program. The result of the helper goes into the first 8 bytes of the context. */
export function loadCase(kernel: Kernel, { helper, args, value = [] }: HelperCase): { map: number; prog: number } {
  const map = kernel.mapCreate({ type: MAP_TYPE.array, keySize: 4, valueSize: VALUE_BYTES, maxEntries: 1, name: 'v' });
  kernel.mapUpdate(map, new Uint8Array(4), valueBytes(value));
  const insns = [
    movReg(CTX, 1),
    ...args.flatMap((arg, i) => argument(i + 1, arg)),
    call(HELPER[helper]),
    store(SIZE.DW, CTX, 0, 0),
    movImm(0, 5),
    exit(),
  ];
  const prog = kernel.progLoad({
    type: PROG_TYPE.syscall,
    insns: encodeInsns(insns),
    license: 'GPL',
    flags: SLEEPABLE,
    fdArray: [map],
  });
  return { map, prog };
}

/** `union bpf_attr` begins the value. */
const attr = { value: 0 };
const NAME = 64;
const CREATE = { map: MAP_TYPE.hash, key: 4, value: 8, entries: 2 };

export const CASES: readonly HelperCase[] = [
  { name: 'a command that programs may not give', helper: 'sys_bpf', args: [6, attr, 32] },
  { name: 'a command that is none', helper: 'sys_bpf', args: [999, attr, 32] },
  {
    name: 'a map',
    gives: 'descriptor',
    helper: 'sys_bpf',
    args: [0, attr, 72],
    value: [CREATE.map, CREATE.key, CREATE.value, CREATE.entries],
  },
  { name: 'a map without entries', helper: 'sys_bpf', args: [0, attr, 72], value: [CREATE.map, 4, 8, 0] },
  {
    name: 'attributes that are cut off count as zero',
    helper: 'sys_bpf',
    args: [0, attr, 12],
    value: [CREATE.map, 4, 8, 2],
  },
  {
    name: 'something behind the last field of a command',
    helper: 'sys_bpf',
    args: [0, attr, 128],
    value: [CREATE.map, 4, 8, 2, ...new Array(24).fill(0), 1],
  },
  {
    name: 'something behind the attributes',
    helper: 'sys_bpf',
    args: [0, attr, 240],
    value: [CREATE.map, 4, 8, 2, ...new Array(48).fill(0), 1],
  },
  { name: 'an element of no map', helper: 'sys_bpf', args: [2, attr, 32], value: [-1] },
  { name: 'freezing no map', helper: 'sys_bpf', args: [22, attr, 4], value: [-1] },
  { name: 'a map id that is not there', helper: 'sys_bpf', args: [14, attr, 12], value: [0x7ffffff0] },
  { name: 'BTF that is none', helper: 'sys_bpf', args: [18, attr, 28], value: [0, 0, 0, 0, 0] },
  { name: 'a program without instructions', helper: 'sys_bpf', args: [5, attr, 140], value: [1] },
  { name: 'closing nothing', helper: 'sys_close', args: [-1] },
  { name: 'a type', helper: 'btf_find_by_name_kind', args: [attr, 12, 4, 0], value: ['task_struct\0'] },
  {
    name: 'a type of another kind',
    helper: 'btf_find_by_name_kind',
    args: [attr, 12, 12, 0],
    value: ['task_struct\0'],
  },
  {
    name: 'a type by a name without end',
    helper: 'btf_find_by_name_kind',
    args: [attr, 11, 4, 0],
    value: ['task_struct\0'],
  },
  { name: 'a type by an empty name', helper: 'btf_find_by_name_kind', args: [attr, 1, 4, 0], value: ['\0'] },
  { name: 'a type with flags', helper: 'btf_find_by_name_kind', args: [attr, 12, 4, 1], value: ['task_struct\0'] },
  {
    name: 'a symbol that is not there',
    helper: 'kallsyms_lookup_name',
    args: [attr, 8, 0, { value: NAME }],
    value: ['no_such\0'],
  },
  {
    name: 'a symbol with flags',
    helper: 'kallsyms_lookup_name',
    args: [attr, 8, 1, { value: NAME }],
    value: ['no_such\0'],
  },
  { name: 'a symbol', helper: 'kallsyms_lookup_name', args: [attr, 9, 0, { value: NAME }], value: ['schedule\0'] },
  { name: 'memory of the caller', helper: 'copy_from_user', args: [attr, 8, { context: 8 }] },
  { name: 'memory of nobody', helper: 'copy_from_user', args: [attr, 8, 16] },
  { name: 'memory of the kernel', helper: 'copy_from_user', args: [attr, 8, { value: NAME }] },
  { name: 'memory of nobody for the kernel', helper: 'probe_read_kernel', args: [attr, 8, 16], value: [1, 2, 3] },
];

/** Result of the helper (descriptors are all the same), and the first words of the map's value afterwards. */
export function runCase(kernel: Kernel, theCase: HelperCase): { result: string; value: number[] } {
  const { map, prog } = loadCase(kernel, theCase);
  const context = new Uint8Array(CONTEXT_BYTES);
  const bytes = Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8]);
  const ended = kernel.progRun(prog, { context, buffers: [{ at: 8, bytes }] });
  const r0 = new DataView(context.buffer).getBigInt64(0, true);
  const result = theCase.gives === 'descriptor' && r0 > 0n ? 'descriptor' : String(r0);
  const after = kernel.mapLookup(map, new Uint8Array(4));
  const words = new Int32Array(after.slice().buffer, 0, 4);
  if (ended !== 5) throw new Error(`the program returned ${ended}`);
  return { result, value: Array.from(words) };
}
