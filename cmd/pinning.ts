// Pinning under the bpf file system, with bpftool's checks of the path before it.
import { posix } from 'node:path';
import { SysError } from '../src/errno.ts';
import type { Kernel } from '../src/syscall.ts';
import { CliError, type CommandContext, errnoStatus } from './command.ts';
import { because } from './select.ts';
import { needWords } from './words.ts';

/** What stands at a path of the tree. */
function standing(kernel: Kernel, path: string): 'dir' | 'pin' | 'nothing' {
  try {
    kernel.treeList(path);
    return 'dir';
  } catch (e) {
    if (!(e instanceof SysError)) throw e;
  }
  try {
    const name = posix.basename(path);
    return kernel.treeList(posix.dirname(path)).some((entry) => entry.name === name) ? 'pin' : 'nothing';
  } catch (e) {
    if (!(e instanceof SysError)) throw e;
    return 'nothing';
  }
}

/** The path must be free and its folder must be there. */
export function checkPinPath(kernel: Kernel, path: string): void {
  if (standing(kernel, path) !== 'nothing') {
    throw new CliError(`can't pin BPF object: path '${path}' already exists`);
  }
  const dir = posix.dirname(path);
  if (standing(kernel, dir) !== 'dir') throw new CliError(`can't pin BPF object: dir '${dir}' doesn't exist`);
}

/** The folder must be there, or its parent, in which the first pin makes it. */
export function checkPinDir(kernel: Kernel, path: string): void {
  if (standing(kernel, path) === 'dir') return;
  const parent = posix.dirname(path);
  if (standing(kernel, parent) !== 'dir') {
    throw new CliError(`can't create dir '${path}' to pin BPF object: parent dir '${parent}' doesn't exist`);
  }
}

/** Pins a descriptor at a path. */
export function pinFd(kernel: Kernel, fd: number, path: string): void {
  checkPinPath(kernel, path);
  try {
    kernel.objPin(path, fd);
  } catch (e) {
    throw because(`can't pin the object (${path})`, e, e instanceof SysError ? errnoStatus(e.errno) : 255);
  }
}

/** `pin OBJECT FILE` for programs and maps; words after FILE are ignored. */
export const pinCommand =
  (select: (context: CommandContext, words: string[]) => number) =>
  (context: CommandContext, words: string[], previous: string): void => {
    needWords(words, 3, previous, 234);
    const fd = select(context, words);
    pinFd(context.kernel(), fd, words[0]);
    context.json?.value(null);
  };
