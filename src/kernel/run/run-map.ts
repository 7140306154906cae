// Maps of a running program.
import type { KMap } from '../objects.ts';

/**
 * A map while programs run. Keys and values are bytes in the program's own layout; addresses are those of memory that
 * programs may keep. Results are 0 or a negative errno.
 */
export interface RunMap {
  readonly map: KMap;
  /** Address of the value that a program on `cpu` sees; 0n: there is none. */
  lookup(key: Uint8Array, cpu: number): bigint;
  update(key: Uint8Array, value: Uint8Array, flags: bigint, cpu: number): number;
  remove(key: Uint8Array): number;
  push?(value: Uint8Array, flags: bigint): number;
  /** Copies the value that pop or peek gives into `value`. */
  pop?(value: Uint8Array): number;
  peek?(value: Uint8Array): number;
  /** Keys and addresses of values in the order of the map, as a loop over its elements sees them. */
  elements(cpu: number): Iterable<{ key: Uint8Array; address: bigint }>;
  /** Programs of a program array and maps of a map in map: whatever stands in the slot. */
  held?(key: Uint8Array): unknown;
}
