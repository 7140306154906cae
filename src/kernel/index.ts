// The simulated kernel, opened from its state file.
import { type LoadedImage, loadImage } from './image/load.ts';
import type { Capabilities } from './objects.ts';
import { Database } from './store/database.ts';
import { statePath } from './store/state-path.ts';
import { boot } from './syscall/boot.ts';
import { SimulatedKernel } from './syscall/simulated.ts';

export interface OpenOptions {
  /** The state file, or ":memory:"; the customary place unless given. Made at the first use. */
  statePath?: string | undefined;
  /** The kernel image; the one shipped with the program unless given. */
  image?: LoadedImage;
  /** What the calling process may do; everything unless given. */
  capabilities?: Capabilities;
}

/** Opens the simulated kernel. Throws StateError where the file cannot be used, ImageError without an image. */
export function openSimulatedKernel(options: OpenOptions = {}): SimulatedKernel {
  const image = options.image ?? loadImage();
  return new SimulatedKernel(new Database(statePath(options.statePath), boot), image, options.capabilities);
}
