// What commands say of descriptors of the wrong kind, or of none.
import { BtfBuilder } from '../../src/btf/encode.ts';
import { MAP_TYPE } from '../../src/isa/uapi.ts';
import type { Kernel, ObjectKind } from '../../src/syscall.ts';
import { type Answer, ask, u32 } from './answer.ts';
import { nothing } from './programs.ts';

const MAX_INT = 0x7fffffff;

export function* askDescriptors(kernel: Kernel): Generator<Answer> {
  const builder = new BtfBuilder();
  builder.addInt('int', 4, 1);
  const fds = {
    map: kernel.mapCreate({ type: MAP_TYPE.array, keySize: 4, valueSize: 4, maxEntries: 1 }),
    prog: kernel.progLoad(nothing('xdp')),
    btf: kernel.btfLoad({ bytes: builder.bytes() }),
    none: 9999,
  };
  const spare = kernel.mapCreate({ type: MAP_TYPE.array, keySize: 4, valueSize: 4, maxEntries: 1 });
  for (const [kind, fd] of Object.entries(fds)) {
    const commands: Record<string, () => unknown> = {
      freeze: () => kind !== 'map' && kernel.mapFreeze(fd),
      'bind as program': () => kernel.progBindMap(fd, spare),
      'bind as map': () => kernel.progBindMap(fds.prog, fd),
      'as inner map': () =>
        kernel.mapCreate({ type: MAP_TYPE.array_of_maps, keySize: 4, valueSize: 4, maxEntries: 1, innerMapFd: fd }),
      'as BTF of a map': () =>
        kernel.mapCreate({
          type: MAP_TYPE.array,
          keySize: 4,
          valueSize: 4,
          maxEntries: 1,
          btfFd: fd,
          btfKeyTypeId: 1,
          btfValueTypeId: 1,
        }),
      'as attach target': () => kernel.progLoad({ ...nothing('xdp'), attachProgFd: fd }),
      'as attach target of tracing': () =>
        kernel.progLoad({ ...nothing('tracing'), expectedAttachType: 28, attachProgFd: fd, attachBtfId: 1 }),
    };
    for (const [what, run] of Object.entries(commands)) {
      yield { what: `${kind} ${what}`, answer: ask(() => void run()) };
    }
  }
  for (const kind of ['prog', 'map', 'btf', 'link'] as ObjectKind[]) {
    for (const id of [MAX_INT, MAX_INT - 1, 0xffffffff]) {
      yield { what: `next ${kind} after ${id}`, answer: ask(() => kernel.nextId(kind, id)) };
      yield { what: `${kind} by id ${id}`, answer: ask(() => kernel.fdById(kind, id)) };
    }
    yield { what: `${kind} by id 0`, answer: ask(() => kernel.fdById(kind, 0)) };
  }
  yield { what: 'first btf', answer: ask(() => kernel.nextId('btf', 0)) };
  yield { what: 'first btf is', answer: ask(() => kernel.btfInfo(kernel.fdById('btf', 1)).name) };
  const array = (flags: number): number =>
    kernel.mapCreate({ type: MAP_TYPE.array, keySize: 4, valueSize: 4, maxEntries: 1, flags });
  for (const [name, flags] of [
    ['rdonly', 8],
    ['wronly', 16],
    ['rdonly_prog', 128],
    ['wronly_prog', 256],
  ] as const) {
    const fd = array(flags);
    yield { what: `${name} lookup`, answer: ask(() => kernel.mapLookup(fd, u32(0))) };
    yield { what: `${name} next key`, answer: ask(() => kernel.mapNextKey(fd, undefined)) };
    yield { what: `${name} update`, answer: ask(() => void kernel.mapUpdate(fd, u32(0), u32(1))) };
    yield { what: `${name} delete`, answer: ask(() => void kernel.mapDelete(fd, u32(0))) };
    yield { what: `${name} lookup and delete`, answer: ask(() => kernel.mapLookupAndDelete(fd, u32(0))) };
    yield { what: `${name} info`, answer: ask(() => kernel.mapInfo(fd).flags) };
    yield { what: `${name} freeze`, answer: ask(() => void kernel.mapFreeze(fd)) };
    const again = kernel.fdById('map', kernel.mapInfo(fd).id);
    yield { what: `${name} opened again update`, answer: ask(() => void kernel.mapUpdate(again, u32(0), u32(1))) };
  }
}
