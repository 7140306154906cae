// Pinning of maps at load, with libbpf's checks and messages.
import type { Kernel } from '../syscall.ts';
import { errstr, ObjectError } from './errors.ts';
import { errnoOf } from './kernel-btf.ts';
import type { Messages } from './print.ts';

const EEXIST = 17;
const ENOENT = 2;

const parentOf = (path: string): string => path.slice(0, Math.max(path.lastIndexOf('/'), 1));

/** Pins a map, making the folder above it when that is missing. Throws ObjectError. Rule: libbpf 1.8. */
export function pinMap(kernel: Kernel, messages: Messages, fd: number, path: string): void {
  const folder = parentOf(path);
  try {
    kernel.treeMkdir(folder);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno !== EEXIST) {
      messages.warn(`failed to mkdir ${path}: ${errstr(errno)}`);
      throw new ObjectError(errno);
    }
  }
  try {
    kernel.treeList(folder);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === ENOENT) messages.warn(`failed to statfs ${folder}: ${errstr(errno)}`);
    else messages.warn(`specified path ${path} is not on BPF FS`);
    throw new ObjectError(errno === ENOENT ? errno : 'EINVAL');
  }
  try {
    kernel.objPin(path, fd);
  } catch (error) {
    const errno = errnoOf(error);
    messages.warn(`failed to pin map: ${errstr(errno)}`);
    throw new ObjectError(errno);
  }
  messages.debug(() => `pinned map '${path}'`);
}
