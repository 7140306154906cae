// Files in memory with zeros behind them, so that BTF can be read where it lies: void is a type of zeros.
import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';

/** Bytes of zeros behind a file: those of void, and what is missing to a whole word. */
const ROOM = 16;

/** A file's contents. Throws as readFileSync does. */
export const readWithRoom = (path: string): Uint8Array => {
  const fd = openSync(path, 'r');
  try {
    const { size } = fstatSync(fd);
    // Pipes and some files of the kernel do not tell their size.
    if (size === 0) return readFileSync(fd);
    const all = Buffer.allocUnsafeSlow(size + ROOM).fill(0, size);
    const read = readSync(fd, all, 0, size, 0);
    return read === size ? all.subarray(0, size) : readFileSync(path);
  } finally {
    closeSync(fd);
  }
};
