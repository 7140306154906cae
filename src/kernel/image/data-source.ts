// Where the files of kernel images lie: beside the program, or wherever a packed executable keeps its assets.
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readWithRoom } from '../../btf/room.ts';

/** Name of the image used when none is named. */
export const DEFAULT_IMAGE = 'linux-6.18-x86_64';

/** The file that every image folder has. */
export const MANIFEST_FILE = 'image.json';

/** How many folders above the running file are searched for `data/`. */
const LEVELS_UP = 6;

/** Gives the files of one image by name, such as "vmlinux.btf.zst"; undefined where there is none. */
export type DataSource = (file: string) => Uint8Array | undefined;

/** The files of an image in a folder. */
export const folderSource =
  (folder: string): DataSource =>
  (file) => {
    try {
      return readWithRoom(join(folder, file));
    } catch {
      return undefined;
    }
  };

let override: DataSource | undefined;

/**
 * Makes every later `loadImage()` without an argument read from `source`; undefined goes back to searching. Made for
 * single executables, whose data are assets instead of files.
 */
export function setDefaultDataSource(source: DataSource | undefined): void {
  override = source;
}

/** Folder of an image: `data/<name>` beside the running file or above it, the nearest first; undefined if nowhere. */
export function findImageFolder(name: string = DEFAULT_IMAGE, from: string = import.meta.url): string | undefined {
  let folder = dirname(from.startsWith('file:') ? fileURLToPath(from) : resolve(from));
  for (let level = 0; level <= LEVELS_UP; level++) {
    const candidate = join(folder, 'data', name);
    if (existsSync(join(candidate, MANIFEST_FILE))) return candidate;
    const parent = dirname(folder);
    if (parent === folder) break;
    folder = parent;
  }
  return undefined;
}

/** What `loadImage()` reads from unless told; undefined when no data can be found. */
export function defaultDataSource(): DataSource | undefined {
  if (override) return override;
  const folder = findImageFolder();
  return folder === undefined ? undefined : folderSource(folder);
}
