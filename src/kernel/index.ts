// The simulated kernel, opened from its state file.

import type { LoadedImage } from './image/load.ts';
import { loadImage } from './image/load.ts';
import { Database } from './store/database.ts';
import { statePath } from './store/state-path.ts';
import { SimulatedKernel } from './syscall/simulated.ts';

export interface OpenOptions {
  /** The state file, or ":memory:"; the customary place unless given. Made at the first use. */
  statePath?: string | undefined;
  /** The kernel image; the one shipped with the program unless given. */
  image?: LoadedImage;
}

/** Puts the first rows into a new state: when it booted, and the kernel's own BTF. */
function boot(database: Database): void {
  database.run("INSERT INTO setting VALUES ('boot_time', ?)", BigInt(Date.now()) * 1_000_000n);
  database.run('INSERT INTO btf VALUES (?, ?, 1, NULL)', database.next('btf'), 'vmlinux');
}

/** Opens the simulated kernel. Throws StateError where the file cannot be used, ImageError without an image. */
export function openSimulatedKernel(options: OpenOptions = {}): SimulatedKernel {
  const image = options.image ?? loadImage();
  return new SimulatedKernel(new Database(statePath(options.statePath), boot), image);
}
