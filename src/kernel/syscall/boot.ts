// The first rows of a new state.
import type { Database } from '../store/database.ts';

/** Notes when the kernel started, and its own BTF, which is the first object of that kind. */
export function boot(database: Database): void {
  database.insert('setting', { name: 'boot_time', value: BigInt(Date.now()) * 1_000_000n });
  database.insert('btf', { id: database.next('btf'), name: 'vmlinux', kernel: 1, bytes: null });
}
