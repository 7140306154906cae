// Helpers on maps.
import { ERRNO } from '../../../errno.ts';
import type { Machine } from '../machine.ts';
import { functionAt, type HelperTable } from '../program.ts';
import type { RunMap } from '../run-map.ts';

const key = (m: Machine, map: RunMap, address: bigint): Uint8Array => m.memory.bytesAt(address, map.map.keySize);
const value = (m: Machine, map: RunMap, address: bigint): Uint8Array => m.memory.bytesAt(address, map.map.valueSize);

/** Calls `callback` for each element until it gives 1; gives how many it was called for. rule: bpf_for_each_map_elem */
function forEach(m: Machine, map: RunMap, callback: bigint, context: bigint): bigint {
  let calls = 0n;
  for (const element of map.elements(m.cpu)) {
    const copy = m.memory.add({ name: 'key of an element', bytes: Uint8Array.from(element.key), writable: false });
    calls++;
    const result = m.call(functionAt(callback), [map.map.address, copy.base, element.address, context]);
    m.memory.remove(copy);
    if (result !== 0n) break;
  }
  return calls;
}

export const MAP_HELPERS: HelperTable = {
  map_lookup_elem: (m, r1, r2) => {
    const map = m.map(r1);
    return map.lookup(key(m, map, r2), m.cpu);
  },
  map_lookup_percpu_elem: (m, r1, r2, r3) => {
    const map = m.map(r1);
    const cpu = Number(BigInt.asUintN(32, r3));
    return cpu < m.possibleCpus ? map.lookup(key(m, map, r2), cpu) : 0n;
  },
  map_update_elem: (m, r1, r2, r3, r4) => {
    const map = m.map(r1);
    return BigInt(map.update(Uint8Array.from(key(m, map, r2)), Uint8Array.from(value(m, map, r3)), r4, m.cpu));
  },
  map_delete_elem: (m, r1, r2) => {
    const map = m.map(r1);
    return BigInt(map.remove(key(m, map, r2)));
  },
  map_push_elem: (m, r1, r2, r3) => {
    const map = m.map(r1);
    return BigInt(map.push?.(value(m, map, r2), r3) ?? -ERRNO.EOPNOTSUPP);
  },
  map_pop_elem: (m, r1, r2) => {
    const map = m.map(r1);
    return BigInt(map.pop?.(value(m, map, r2)) ?? -ERRNO.EOPNOTSUPP);
  },
  map_peek_elem: (m, r1, r2) => {
    const map = m.map(r1);
    return BigInt(map.peek?.(value(m, map, r2)) ?? -ERRNO.EOPNOTSUPP);
  },
  for_each_map_elem: (m, r1, r2, r3, r4) => (r4 === 0n ? forEach(m, m.map(r1), r2, r3) : BigInt(-ERRNO.EINVAL)),
};
