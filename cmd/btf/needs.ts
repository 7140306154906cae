// What of the kernel `btf dump` uses, told by its words before anything is loaded.
import type { GlobalOptions, Need } from '../command.ts';
import { isPrefix } from '../words.ts';
import { KERNEL_FOLDERS, SYSFS_BTF } from './paths.ts';

/** Sources that are objects of the kernel; an abbreviation of them is tried before 'file'. */
const KERNEL_SOURCES = ['map', 'prog', 'id'] as const;

const isKernelFile = (path: string): boolean => KERNEL_FOLDERS.some((folder) => path.startsWith(folder));

/** For a file of BTF. */
export const needOfPath = (path: string): Need => {
  if (!isKernelFile(path)) return 'nothing';
  return path.startsWith(SYSFS_BTF) ? 'files' : 'kernel';
};

/** For `btf dump` with these words. */
export const dumpNeeds = (words: readonly string[], { baseBtf = '' }: GlobalOptions): Need => {
  const [source] = words;
  if (source !== undefined && KERNEL_SOURCES.some((name) => isPrefix(source, name))) return 'kernel';
  const files = [...words, baseBtf].filter(isKernelFile);
  if (files.length === 0) return 'nothing';
  return files.every((path) => path.startsWith(SYSFS_BTF)) ? 'files' : 'kernel';
};
