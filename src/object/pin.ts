// Pinning of maps and programs, with libbpf's checks and messages.
import type { Kernel } from '../syscall.ts';
import { errstr, ObjectError } from './errors.ts';
import { errnoOf } from './kernel-btf.ts';
import type { LoadedMap } from './load.ts';
import type { Messages } from './print.ts';

const EEXIST = 17;
const ENOENT = 2;

const parentOf = (path: string): string => path.slice(0, Math.max(path.lastIndexOf('/'), 1));

/** Makes the folder above a path when it is missing, and checks that it can hold pins. Throws ObjectError. */
function preparePlace(kernel: Kernel, messages: Messages, path: string): void {
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
}

/** Pins a map, making the folder above it when that is missing. Throws ObjectError. Rule: libbpf 1.8. */
export function pinMap(kernel: Kernel, messages: Messages, fd: number, path: string): void {
  preparePlace(kernel, messages, path);
  try {
    kernel.objPin(path, fd);
  } catch (error) {
    const errno = errnoOf(error);
    messages.warn(`failed to pin map: ${errstr(errno)}`);
    throw new ObjectError(errno);
  }
  messages.debug(() => `pinned map '${path}'`);
}

/** A program to be pinned; it has no descriptor where it was not loaded. */
export interface PinnedProgram {
  name: string;
  fd: number | undefined;
}

function pinProgram(kernel: Kernel, messages: Messages, { name, fd }: PinnedProgram, path: string): void {
  if (fd === undefined) {
    messages.warn(`prog '${name}': can't pin program that wasn't loaded`);
    throw new ObjectError('EINVAL');
  }
  preparePlace(kernel, messages, path);
  try {
    kernel.objPin(path, fd);
  } catch (error) {
    const errno = errnoOf(error);
    messages.warn(`prog '${name}': failed to pin at '${path}': ${errstr(errno)}`);
    throw new ObjectError(errno);
  }
  messages.debug(() => `prog '${name}': pinned at '${path}'`);
}

/** Takes programs away again that pinPrograms() has pinned. */
export function unpinPrograms(
  kernel: Kernel,
  messages: Messages,
  programs: readonly PinnedProgram[],
  folder: string,
): void {
  for (const { name } of programs) {
    const path = `${folder}/${name}`;
    kernel.treeUnlink(path);
    messages.debug(() => `prog '${name}': unpinned from '${path}'`);
  }
}

/** Pins programs below a folder by their names, all or none. Throws ObjectError. Rule: bpf_object__pin_programs. */
export function pinPrograms(
  kernel: Kernel,
  messages: Messages,
  programs: readonly PinnedProgram[],
  folder: string,
): void {
  for (const [i, program] of programs.entries()) {
    try {
      pinProgram(kernel, messages, program, `${folder}/${program.name}`);
    } catch (error) {
      unpinPrograms(kernel, messages, programs.slice(0, i).reverse(), folder);
      throw error;
    }
  }
}

/** Where a map is to be pinned; undefined where it is pinned there already. */
function placeOfMap(messages: Messages, name: string, { spec }: LoadedMap, path: string): string | undefined {
  // The load has pinned it, or found it there.
  if (spec.pinPath === undefined) return path;
  if (spec.pinPath === path) {
    messages.debug(() => `map '${name}' already pinned at '${path}'; not re-pinning`);
    return undefined;
  }
  messages.warn(`map '${name}' already has pin path '${spec.pinPath}' different from '${path}'`);
  throw new ObjectError('EINVAL');
}

/** Pins maps below a folder by their names, all or none. Throws ObjectError. Rule: bpf_object__pin_maps. */
export function pinMaps(
  kernel: Kernel,
  messages: Messages,
  maps: ReadonlyMap<string, LoadedMap>,
  folder: string,
): void {
  const pinned: [name: string, path: string][] = [];
  try {
    for (const [name, map] of maps) {
      const path = `${folder}/${name.replaceAll('.', '_')}`;
      const place = placeOfMap(messages, name, map, path);
      if (place !== undefined) pinMap(kernel, messages, map.fd, place);
      pinned.push([name, path]);
    }
  } catch (error) {
    for (const [name, path] of pinned.reverse()) {
      kernel.treeUnlink(path);
      messages.debug(() => `unpinned map '${name}' from '${path}'`);
    }
    throw error;
  }
}
