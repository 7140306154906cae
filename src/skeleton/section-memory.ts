// The bytes of a data section of a skeleton.
import type { Kernel } from '../syscall.ts';
import type { Memory } from './value-view.ts';

/** Key 0 of the arrays that hold global data. */
const FIRST = new Uint8Array(4);

/** Bytes of the object before the load, of the map afterwards. */
export class SectionMemory implements Memory {
  /** What the load will put in the map; views write into it. */
  readonly initial: Uint8Array;
  private loaded: { kernel: Kernel; fd: number } | undefined;

  constructor(initial: Uint8Array) {
    this.initial = initial;
  }

  attach(kernel: Kernel, fd: number): void {
    this.loaded = { kernel, fd };
  }

  load(): Uint8Array {
    return this.loaded ? this.loaded.kernel.mapLookup(this.loaded.fd, FIRST) : this.initial;
  }

  store(bytes: Uint8Array): void {
    this.loaded?.kernel.mapUpdate(this.loaded.fd, FIRST, bytes);
  }
}
