// What the maps and programs of a skeleton share: a place in a kernel once the skeleton is loaded.
import { SysError } from '../errno.ts';
import type { Kernel, ProgInfo } from '../syscall.ts';

export abstract class SkeletonPart {
  protected abstract readonly kind: 'map' | 'program';
  private loaded: { kernel: Kernel; fd: number } | undefined;

  abstract get name(): string;

  /** Called by the skeleton once the part is there. */
  attach(kernel: Kernel, fd: number): void {
    this.loaded = { kernel, fd };
  }

  protected get at(): { kernel: Kernel; fd: number } {
    if (!this.loaded) throw new SysError('EINVAL', `${this.kind} ${this.name} is not loaded`);
    return this.loaded;
  }

  /** The descriptor; throws SysError before the load. */
  get fd(): number {
    return this.at.fd;
  }
}

export abstract class ProgramPart extends SkeletonPart {
  protected readonly kind = 'program';

  /** What the kernel tells of the loaded program. */
  info(): ProgInfo {
    return this.at.kernel.progInfo(this.fd);
  }
}
