// BPF_PROG_TEST_RUN: programs of type syscall run in the name of the process that asks for it.
import { SysError } from '../../errno.ts';
import { decodeInsns } from '../../isa/insn.ts';
import { MAP_TYPE, MAP_TYPES, PROG_TYPE } from '../../isa/uapi.ts';
import type { Kernel, ProgRunAttr } from '../../syscall.ts';
import { bytesOf } from '../maps/record.ts';
import { syscallHelpers } from '../run/helpers/syscall.ts';
import { addMap, finishedProgram, HELPER_TABLES, Machine, prepare, RunFault } from '../run/index.ts';
import type { KernelContext } from './context.ts';
import type { MapObjects } from './map-objects.ts';
import { belongingOf, programFunctions } from './prog-store.ts';

const MAX_CONTEXT = 0xffff;
/** Where user space's buffers lie. */
const USER_BASE = 0x7f0000000000n;
const USER_STEP = 1n << 32n;

/** Puts the maps of a program into a machine; gives what writes their contents back. */
function bringMaps(m: Machine, maps: MapObjects, ids: readonly number[]): () => void {
  const arrays = ids.map((id) => {
    const area = maps.valueArea(id);
    if (area.map.type !== MAP_TYPE.array) {
      const type = MAP_TYPES[area.map.type];
      throw new SysError('EOPNOTSUPP', `map ${area.map.name}: programs with maps of type ${type} cannot run here`);
    }
    addMap(m, area.map);
    const address = area.map.valueAddress ?? area.map.address + BigInt(m.image?.offsetOf('bpf_array', 'value') ?? 0);
    const bytes = m.memory.bytesAt(address, area.size, true);
    const before = area.read();
    bytes.set(before);
    return { area, bytes, before };
  });
  return () => {
    for (const { area, bytes, before } of arrays) if (Buffer.compare(bytes, before) !== 0) area.write(bytes);
  };
}

/** Puts buffers of user space into a machine, and their addresses into the context. */
function bringBuffers(m: Machine, context: Uint8Array, buffers: ProgRunAttr['buffers']): void {
  const view = new DataView(context.buffer, context.byteOffset, context.byteLength);
  (buffers ?? []).forEach(({ at, bytes }, i) => {
    const base = USER_BASE + USER_STEP * BigInt(i);
    m.memory.add({ name: 'user memory', base, bytes });
    view.setBigUint64(at, base, true);
  });
}

/**
 * Runs a program of type syscall; gives what it returned as an unsigned 32-bit number. Other types are not run:
 * ENOTSUPP. rule: bpf_prog_test_run_syscall, 6.18
 */
export function runProgram(
  kernel: Kernel,
  context: KernelContext,
  maps: MapObjects,
  fd: number,
  attr: ProgRunAttr,
): number {
  const row = context.rowOf(fd, 'prog');
  if (Number(row.type) !== PROG_TYPE.syscall) throw new SysError('ENOTSUPP');
  const size = attr.context.length;
  if (size < (belongingOf(row).contextBytes ?? 0) || size > MAX_CONTEXT) throw new SysError('EINVAL');
  const { image } = context;
  const m = new Machine({ image, possibleCpus: image.possibleCpus, now: () => context.sinceBoot() });
  const calls = syscallHelpers(kernel, (name, kind) => image.btf().find(name, kind));
  const copy = Uint8Array.from(attr.context);
  bringBuffers(m, copy, attr.buffers);
  const writeBack = bringMaps(m, maps, kernel.progInfo(fd).mapIds);
  const region = m.memory.add({ name: 'context', bytes: copy });
  try {
    const program = finishedProgram({
      name: String(row.name),
      image,
      insns: decodeInsns(bytesOf(row.image)),
      starts: programFunctions(row).map(({ start }) => start),
      helpers: [...HELPER_TABLES, calls],
    });
    return Number(BigInt.asUintN(32, m.run(prepare(program), size ? region.base : 0n)));
  } catch (error) {
    if (error instanceof RunFault) throw new SysError('EOPNOTSUPP', `the program cannot run here: ${error.message}`);
    throw error;
  } finally {
    writeBack();
    attr.context.set(copy);
  }
}
