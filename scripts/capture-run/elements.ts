// Elements of a map of a kernel.
import { SysError } from '../../src/errno.ts';
import type { Kernel } from '../../src/syscall.ts';

const hex = (data: Uint8Array): string => Buffer.from(data).toString('hex');

/** Keys and values in hex, sorted; of per-CPU maps the greatest value, which is that of the CPU that ran. */
export function elementsOf(kernel: Kernel, fd: number, valueBytes: number): [string, string][] {
  const found: [string, string][] = [];
  const stride = Math.ceil(valueBytes / 8) * 8;
  let key: Uint8Array | undefined;
  while (true) {
    try {
      key = kernel.mapNextKey(fd, key);
    } catch (error) {
      if (error instanceof SysError) break;
      throw error;
    }
    const all = kernel.mapLookup(fd, key);
    const values: string[] = [];
    for (let at = 0; at < all.length; at += stride) values.push(hex(all.subarray(at, at + valueBytes)));
    found.push([hex(key), values.sort()[values.length - 1]]);
  }
  return found.sort(([a], [b]) => (a < b ? -1 : 1));
}
