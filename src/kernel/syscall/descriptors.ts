// The descriptors of one process.
import { SysError } from '../../errno.ts';
import type { ObjectKind } from '../../syscall.ts';
import type { ObjectId } from './object-store.ts';

/** An open object. `access` holds the map flags RDONLY or WRONLY of the opening, 0 for both ways. */
export interface Descriptor extends ObjectId {
  access: number;
}

/** Standard input, output and error: open, and no BPF objects. */
const FIRST_FD = 3;

export class DescriptorTable {
  private readonly open = new Map<number, Descriptor>();
  /** How many descriptors each object has. */
  private readonly uses = new Map<string, number>();
  private lowestFree = FIRST_FD;

  /** Gives the lowest free number. */
  install(object: ObjectId, access = 0): number {
    const fd = this.lowestFree;
    this.open.set(fd, { ...object, access });
    while (this.open.has(this.lowestFree)) this.lowestFree++;
    this.uses.set(keyOf(object), this.usesOf(object) + 1);
    return fd;
  }

  usesOf(object: ObjectId): number {
    return this.uses.get(keyOf(object)) ?? 0;
  }

  find(fd: number): Descriptor | undefined {
    return this.open.get(fd);
  }

  /** What is behind a descriptor: EBADF where there is nothing, EINVAL where it is of another kind. */
  get(fd: number, kind: ObjectKind): Descriptor {
    const found = this.open.get(fd);
    if (found?.kind === kind) return found;
    const isOpen = found !== undefined || (fd >= 0 && fd < FIRST_FD);
    throw new SysError(isOpen ? 'EINVAL' : 'EBADF');
  }

  /** Forgets a descriptor and gives what it was; EBADF where there is none. */
  remove(fd: number): Descriptor {
    const found = this.open.get(fd);
    if (!found) throw new SysError('EBADF');
    this.open.delete(fd);
    this.lowestFree = Math.min(this.lowestFree, fd);
    const left = this.usesOf(found) - 1;
    if (left > 0) this.uses.set(keyOf(found), left);
    else this.uses.delete(keyOf(found));
    return found;
  }

  clear(): void {
    this.open.clear();
    this.uses.clear();
    this.lowestFree = FIRST_FD;
  }
}

const keyOf = ({ kind, id }: ObjectId): string => `${kind} ${id}`;
