// How long objects live, and what keeps them.
import { BtfBuilder } from '../../src/btf/encode.ts';
import { encodeInsns } from '../../src/isa/insn.ts';
import { HELPER, MAP_TYPE } from '../../src/isa/uapi.ts';
import type { Kernel } from '../../src/syscall.ts';
import { type Answer, u32 } from './answer.ts';
import { call, EXIT, holding, isThere, mapFd, movImm, nothing } from './programs.ts';

const PIN = '/sys/fs/bpf/answers-life';
const array = (kernel: Kernel): number =>
  kernel.mapCreate({ type: MAP_TYPE.array, keySize: 4, valueSize: 4, maxEntries: 1 });

/** Linux frees some objects a moment later, in the background. */
const settle = (kernel: Kernel): void => {
  if (kernel.kind === 'live') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
};

export function* askLifetimes(kernel: Kernel): Generator<Answer> {
  const mapId = (fd: number): number => kernel.mapInfo(fd).id;
  const progId = (fd: number): number => kernel.progInfo(fd).id;

  const lone = array(kernel);
  const loneId = mapId(lone);
  kernel.close(lone);
  settle(kernel);
  yield { what: 'a closed map', answer: isThere(kernel, 'map', loneId) };

  const used = array(kernel);
  const usedId = mapId(used);
  const user = kernel.progLoad(holding('xdp', used));
  kernel.close(used);
  settle(kernel);
  yield { what: 'a closed map of a program', answer: isThere(kernel, 'map', usedId) };
  kernel.close(user);
  settle(kernel);
  yield { what: 'a map of a closed program', answer: isThere(kernel, 'map', usedId) };

  const pinned = array(kernel);
  const pinnedId = mapId(pinned);
  kernel.objPin(PIN, pinned);
  kernel.close(pinned);
  settle(kernel);
  yield { what: 'a pinned map', answer: isThere(kernel, 'map', pinnedId) };
  const opened = kernel.objGet(PIN).fd;
  kernel.treeUnlink(PIN);
  settle(kernel);
  yield { what: 'an unpinned map that is open', answer: isThere(kernel, 'map', pinnedId) };
  kernel.close(opened);
  settle(kernel);
  yield { what: 'an unpinned map', answer: isThere(kernel, 'map', pinnedId) };

  const builder = new BtfBuilder();
  const int = builder.addInt('int', 4, 1);
  const btf = kernel.btfLoad({ bytes: builder.bytes() });
  const btfId = kernel.btfInfo(btf).id;
  const typed = kernel.mapCreate({
    type: MAP_TYPE.array,
    keySize: 4,
    valueSize: 4,
    maxEntries: 1,
    btfFd: btf,
    btfKeyTypeId: int,
    btfValueTypeId: int,
  });
  kernel.close(btf);
  settle(kernel);
  yield { what: 'BTF of a map', answer: isThere(kernel, 'btf', btfId) };
  const outer = kernel.mapCreate({
    type: MAP_TYPE.array_of_maps,
    keySize: 4,
    valueSize: 4,
    maxEntries: 2,
    innerMapFd: typed,
  });
  const typedId = mapId(typed);
  kernel.close(typed);
  settle(kernel);
  yield { what: 'the map that was a template', answer: isThere(kernel, 'map', typedId) };
  yield { what: 'BTF of a template', answer: isThere(kernel, 'btf', btfId) };
  const inner = array(kernel);
  const innerId = mapId(inner);
  kernel.mapUpdate(outer, u32(0), u32(inner));
  kernel.close(inner);
  settle(kernel);
  yield { what: 'a map in a map', answer: isThere(kernel, 'map', innerId) };
  const other = array(kernel);
  kernel.mapUpdate(outer, u32(0), u32(other));
  settle(kernel);
  yield { what: 'a map that was replaced in a map', answer: isThere(kernel, 'map', innerId) };
  const otherId = mapId(other);
  kernel.close(other);
  kernel.close(outer);
  settle(kernel);
  yield { what: 'a map in a closed map', answer: isThere(kernel, 'map', otherId) };
  yield { what: 'BTF of a closed map', answer: isThere(kernel, 'btf', btfId) };

  const makeJumps = (): number =>
    kernel.mapCreate({ type: MAP_TYPE.prog_array, keySize: 4, valueSize: 4, maxEntries: 2 });
  const caller = (fd: number): number =>
    kernel.progLoad({
      ...nothing('xdp'),
      insns: encodeInsns([...mapFd(2, fd), movImm(3, 0), call(HELPER.tail_call), movImm(0, 0), EXIT]),
    });
  const jumps = makeJumps();
  const jumpsId = mapId(jumps);
  const self = caller(jumps);
  const selfId = progId(self);
  kernel.mapUpdate(jumps, u32(0), u32(self));
  kernel.close(self);
  settle(kernel);
  yield { what: 'a program in an array', answer: isThere(kernel, 'prog', selfId) };
  kernel.close(jumps);
  settle(kernel);
  yield { what: 'a program in a closed array that it uses', answer: isThere(kernel, 'prog', selfId) };
  yield { what: 'the array', answer: isThere(kernel, 'map', jumpsId) };

  const kept = makeJumps();
  const user2 = caller(kept);
  const target = kernel.progLoad(nothing('xdp'));
  const targetId = progId(target);
  kernel.mapUpdate(kept, u32(1), u32(target));
  kernel.close(target);
  const keptId = mapId(kept);
  kernel.close(kept);
  settle(kernel);
  yield { what: 'an array whose user is open', answer: isThere(kernel, 'map', keptId) };
  yield { what: 'a program in an array that only a program holds', answer: isThere(kernel, 'prog', targetId) };
  kernel.close(user2);
  settle(kernel);
  yield { what: 'an array whose user is closed', answer: isThere(kernel, 'map', keptId) };

  const bound = kernel.progLoad(nothing('xdp'));
  const extra = array(kernel);
  const extraId = mapId(extra);
  kernel.progBindMap(bound, extra);
  kernel.progBindMap(bound, extra);
  kernel.close(extra);
  settle(kernel);
  yield { what: 'a bound map', answer: isThere(kernel, 'map', extraId) };
  yield { what: 'maps of the program', answer: String(kernel.progInfo(bound).mapIds.length) };
  kernel.close(bound);
  settle(kernel);
  yield { what: 'a map bound to a closed program', answer: isThere(kernel, 'map', extraId) };
}
