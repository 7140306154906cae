// Sizes at which maps stop being made.
import { BTF_KIND } from '../../src/btf/btf.ts';
import { BtfBuilder } from '../../src/btf/encode.ts';
import { MAP_TYPE, type MapTypeName } from '../../src/isa/uapi.ts';
import type { Kernel, MapCreateAttr } from '../../src/syscall.ts';
import { type Answer, ask } from './answer.ts';

const STORAGES: readonly MapTypeName[] = ['sk_storage', 'inode_storage', 'task_storage', 'cgrp_storage'];
const SIZES = [4096, 4097, 32768, 32769, 65343, 65344, 65400, 65407, 65408, 65471, 65472, 65535, 65536];
const NO_PREALLOC = 1;
const MMAPABLE = 0x400;
const GIB = 2 ** 30;
const PAGE = 4096;

/** BTF with an int and an array of chars for each size. */
function arrays(): { bytes: Uint8Array; key: number; ids: Map<number, number> } {
  const b = new BtfBuilder();
  const key = b.addInt('int', 4, 1);
  const char = b.addInt('char', 1, 1);
  const ids = new Map(SIZES.map((size) => [size, b.addArray(char, key, size)]));
  b.addRef(BTF_KIND.CONST, key);
  return { bytes: b.bytes(), key, ids };
}

export function* askLimits(kernel: Kernel): Generator<Answer> {
  const make = (attr: MapCreateAttr): number | string =>
    ask(() => {
      const fd = kernel.mapCreate(attr);
      const { memlock } = kernel.mapInfo(fd);
      kernel.close(fd);
      return `memlock ${memlock}`;
    });
  for (const type of ['cgroup_storage', 'percpu_cgroup_storage'] as const) {
    for (const valueSize of SIZES) {
      const answer = make({ type: MAP_TYPE[type], keySize: 16, valueSize, maxEntries: 0 });
      yield { what: `${type} of ${valueSize}`, answer };
    }
  }
  const { bytes, key, ids } = arrays();
  const btfFd = kernel.btfLoad({ bytes });
  for (const type of STORAGES) {
    for (const valueSize of SIZES) {
      const typed = { btfFd, btfKeyTypeId: key, btfValueTypeId: ids.get(valueSize) ?? 0 };
      const attr = { type: MAP_TYPE[type], keySize: 4, valueSize, maxEntries: 0, flags: NO_PREALLOC, ...typed };
      yield { what: `${type} of ${valueSize}`, answer: make(attr) };
    }
  }
  for (const maxEntries of [1, (4 * GIB) / PAGE, (4 * GIB) / PAGE + 1]) {
    for (const mapExtra of [0n, 0x1000n, 0x100000000n, 0x1fffff000n, 0x1ffffe000n]) {
      // With an address the system would have to map it there.
      const attr = { type: MAP_TYPE.arena, keySize: 0, valueSize: 0, maxEntries, flags: MMAPABLE, mapExtra };
      const refused = mapExtra !== 0n && maxEntries > 1;
      if (mapExtra === 0n ? maxEntries !== 1 : refused) {
        yield { what: `arena of ${maxEntries} pages at ${mapExtra}`, answer: make(attr) };
      }
    }
  }
}
