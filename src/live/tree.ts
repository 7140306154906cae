// The bpf file system of the running kernel, through ordinary file operations.
import { mkdirSync, readdirSync, readFileSync, rmdirSync, statSync, unlinkSync } from 'node:fs';
import { ERRNO, SysError } from '../errno.ts';

/** Runs a file operation and turns Node's error into a SysError of the same errno. */
export function fileCall<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== undefined && code in ERRNO) throw new SysError(code as keyof typeof ERRNO);
    const errno = (error as NodeJS.ErrnoException).errno;
    if (typeof errno === 'number' && errno < 0) throw new SysError(-errno);
    throw error;
  }
}

/** True when the mount that holds `path` is a bpf file system. */
function onBpfFs(path: string): boolean {
  let best = '';
  let type = '';
  for (const line of readFileSync('/proc/mounts', 'utf8').split('\n')) {
    const [, at, kind] = line.split(' ');
    if (at === undefined || kind === undefined) continue;
    const holds = path === at || path.startsWith(at === '/' ? '/' : `${at}/`);
    if (holds && at.length >= best.length) {
      best = at;
      type = kind;
    }
  }
  return type === 'bpf';
}

/** Names in a folder of the bpf file system and whether each is a folder, in the order of the file system. */
export function listFolder(path: string): { name: string; folder: boolean }[] {
  return fileCall(() => {
    if (!statSync(path).isDirectory()) throw new SysError('ENOTDIR');
    if (!onBpfFs(path)) throw new SysError('EINVAL', `${path} is not on a bpf file system`);
    return readdirSync(path, { withFileTypes: true }).map((e) => ({ name: e.name, folder: e.isDirectory() }));
  });
}

export const makeFolder = (path: string): void => fileCall(() => mkdirSync(path, 0o700));

export const removeEntry = (path: string): void =>
  fileCall(() => (statSync(path).isDirectory() ? rmdirSync(path) : unlinkSync(path)));

/** A file of the host; undefined where there is none or it cannot be read. */
export function hostFile(path: string): Uint8Array | undefined {
  try {
    const file = readFileSync(path);
    // A plain view: Buffer's slice() does not copy as that of its parent class does.
    return new Uint8Array(file.buffer, file.byteOffset, file.length);
  } catch {
    return undefined;
  }
}
