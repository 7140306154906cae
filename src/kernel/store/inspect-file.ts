// A look at a file before SQLite touches it, so that a file of somebody else, or what is left of one, stays as it is.
import { closeSync, existsSync, fstatSync, openSync, readSync, rmSync } from 'node:fs';
import { APPLICATION_ID } from './schema.ts';
import { StateError } from './state-error.ts';

const MAGIC = 'SQLite format 3\0';
const HEADER_BYTES = 100;
const OFFSET = { pageSize: 16, writeVersion: 18, pageCount: 28, applicationId: 68 } as const;
const WAL_VERSION = 2;
const SMALLEST_PAGE = 512;
/** Time for another process to finish moving its log into the file. */
const SETTLE_MS = 20;
const TRIES = 3;

interface Glance {
  size: number;
  header: Buffer;
}

/** Size and first bytes; undefined when there is no such file. */
function glance(path: string): Glance | undefined {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new StateError('access', path, `it cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) throw new StateError('foreign', path, 'it is not a file');
    const header = Buffer.alloc(HEADER_BYTES);
    const length = readSync(fd, header, 0, HEADER_BYTES, 0);
    return { size: stat.size, header: header.subarray(0, length) };
  } finally {
    closeSync(fd);
  }
}

/** Whether the file is shorter than its header promises and no log can hold the rest. */
function isCut({ size, header }: Glance, path: string): boolean {
  const stored = header.readUInt16BE(OFFSET.pageSize);
  const pageSize = stored === 1 ? 65536 : stored;
  const short = pageSize < SMALLEST_PAGE || size < header.readUInt32BE(OFFSET.pageCount) * pageSize;
  return short && !existsSync(`${path}-wal`);
}

const sleep = (ms: number): void => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
};

/**
 * Whether there is a state file at `path`: 'absent', 'present' (a database that may be ours or still be empty).
 * Throws StateError for anything else. Reads only.
 */
export function inspectFile(path: string): 'absent' | 'present' {
  for (let attempt = 1; ; attempt++) {
    const seen = glance(path);
    if (!seen || seen.size === 0) return 'absent';
    if (seen.header.length < HEADER_BYTES || seen.header.toString('latin1', 0, MAGIC.length) !== MAGIC) {
      throw new StateError('foreign', path, 'it is not a bpftool state file');
    }
    const id = seen.header.readUInt32BE(OFFSET.applicationId);
    // A file being made has no id yet; whether it is that or somebody else's shows in its tables.
    if (id !== APPLICATION_ID && id !== 0) throw new StateError('foreign', path, 'it is not a bpftool state file');
    if (id === APPLICATION_ID && seen.header[OFFSET.writeVersion] > WAL_VERSION) {
      throw new StateError('damaged', path, 'it is damaged');
    }
    if (!isCut(seen, path)) return 'present';
    if (attempt === TRIES) throw new StateError('damaged', path, 'it is cut short');
    sleep(SETTLE_MS);
  }
}

/** Files that SQLite keeps beside a database. */
const COMPANIONS = ['', '-wal', '-shm', '-journal'];

/** Removes a state file that cannot be opened any more. Files without our mark stay: false. */
export function discardState(path: string): boolean {
  const header = glance(path)?.header;
  if (header?.length !== HEADER_BYTES || header.readUInt32BE(OFFSET.applicationId) !== APPLICATION_ID) return false;
  for (const ending of COMPANIONS) rmSync(path + ending, { force: true });
  return true;
}
