// The smallest BTF that a local storage map accepts: a value with a spin lock in it.
import { BtfBuilder } from '../../src/btf/encode.ts';

/** Types: [1] int, [2] struct bpf_spin_lock, [3] struct val. */
export function localStorageBtf(): Uint8Array {
  const b = new BtfBuilder();
  const int = b.addInt('int', 4, 1);
  const lock = b.addStruct('bpf_spin_lock', 4, [{ name: 'val', type: int, bitOffset: 0 }]);
  b.addStruct('val', 8, [
    { name: 'cnt', type: int, bitOffset: 0 },
    { name: 'l', type: lock, bitOffset: 32 },
  ]);
  return b.bytes();
}
