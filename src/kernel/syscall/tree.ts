// The bpf file system: folders and pins under /sys/fs/bpf.
import { posix } from 'node:path';
import { type ErrnoName, SysError } from '../../errno.ts';
import type { ObjectKind, PinKind, TreeEntry } from '../../syscall.ts';
import { KIND } from '../store/schema.ts';
import type { ObjectId, ObjectStore } from './object-store.ts';

export const BPFFS = '/sys/fs/bpf';
/** Folders around the bpf file system that are known to be there. */
const HOST_FOLDERS: readonly string[] = ['/', '/sys', '/sys/fs'];
const FOLDER = 0;
const PINNABLE: readonly ObjectKind[] = ['prog', 'map', 'link'];
const NAME_MAX = 255;
const PATH_MAX = 4096;

const KIND_OF: ReadonlyMap<number, PinKind> = new Map(Object.entries(KIND).map(([name, n]) => [n, name as PinKind]));

const fail = (errno: ErrnoName): never => {
  throw new SysError(errno);
};

interface Node {
  path: string;
  kind: number;
  id: number;
}

/** Where a path leads: the folder that its last name is in, and what stands there. */
interface Place {
  folder: string;
  name: string;
  node: Node | undefined;
  /** The path ends in a slash: it can only mean a folder. */
  slash: boolean;
}

const isInside = (path: string): boolean => path === BPFFS || path.startsWith(`${BPFFS}/`);

export class Tree {
  private readonly objects: ObjectStore;

  constructor(objects: ObjectStore) {
    this.objects = objects;
  }

  /** What stands at a path without dots; names with dots cannot even be looked up. rule: bpf_lookup, 6.18 */
  private node(folder: string, name: string): Node | undefined {
    const path = posix.join(folder, name);
    if (HOST_FOLDERS.includes(path) || path === BPFFS) return { path, kind: FOLDER, id: 0 };
    if (Buffer.byteLength(name) > NAME_MAX) fail('ENAMETOOLONG');
    if (!isInside(path)) return undefined;
    if (name.includes('.')) fail('EPERM');
    const row = this.objects.db.get('SELECT kind, id FROM node WHERE path = ?', path);
    return row && { path, kind: Number(row.kind), id: Number(row.id) };
  }

  /** Follows a path name by name, as the kernel does; a relative one starts in the current folder. */
  private walk(path: string): Place {
    if (path === '') fail('ENOENT');
    if (Buffer.byteLength(path) >= PATH_MAX) fail('ENAMETOOLONG');
    const absolute = posix.isAbsolute(path) ? path : posix.join(process.cwd(), path);
    const names = absolute.split('/').filter((name) => name !== '' && name !== '.');
    let place: Place = { folder: '/', name: '', node: { path: '/', kind: FOLDER, id: 0 }, slash: false };
    for (const name of names) {
      if (place.node && place.node.kind !== FOLDER) fail('ENOTDIR');
      // Nothing is known of other file systems than that their folders may be there.
      const at: string = place.node?.path ?? this.outside(place);
      if (name === '..') {
        const up = posix.dirname(at);
        place = { folder: posix.dirname(up), name: posix.basename(up), node: this.folderAt(up), slash: true };
      } else {
        place = { folder: at, name, node: this.node(at, name), slash: false };
      }
    }
    return { ...place, slash: place.slash || /\/\.?$/.test(path) };
  }

  private outside({ folder, name }: Place): string {
    const path = posix.join(folder, name);
    return path === '/sys' || path.startsWith('/sys/') ? fail('ENOENT') : path;
  }

  private folderAt(path: string): Node | undefined {
    return path === '/' || isInside(path) || HOST_FOLDERS.includes(path) ? { path, kind: FOLDER, id: 0 } : undefined;
  }

  /** An existing node; a path that ends in a slash must be that of a folder. */
  private existing(path: string): Node {
    const { node, slash } = this.walk(path);
    if (!node) return fail('ENOENT');
    if (slash && node.kind !== FOLDER) fail('ENOTDIR');
    return node;
  }

  /** Adds a node where its folder is and nothing stands yet. rule: start_creating_path, bpf_obj_do_pin, 6.18 */
  private add(path: string, kind: number, id: number): void {
    const { folder, name, node, slash } = this.walk(path);
    if (node) fail('EEXIST');
    if (slash && kind !== FOLDER) fail('ENOENT');
    if (!isInside(folder)) fail('EPERM');
    const sql = 'INSERT INTO node VALUES (?, ?, ?, ?)';
    this.objects.db.run(sql, posix.join(folder, name), folder, kind, id);
  }

  pin(path: string, object: ObjectId): void {
    if (!PINNABLE.includes(object.kind)) fail('EINVAL');
    this.add(path, KIND[object.kind], object.id);
  }

  mkdir(path: string): void {
    this.add(path, FOLDER, 0);
  }

  get(path: string): { kind: PinKind; id: number } {
    const { kind, id } = this.existing(path);
    return { kind: KIND_OF.get(kind) ?? fail('EACCES'), id };
  }

  /** Entries of a folder, by name. */
  list(path: string): TreeEntry[] {
    const node = this.existing(path);
    if (node.kind !== FOLDER) fail('ENOTDIR');
    if (!isInside(node.path)) throw new SysError('EINVAL', `${path} is not on a bpf file system`);
    const rows = this.objects.db.all('SELECT path, kind, id FROM node WHERE parent = ? ORDER BY path', node.path);
    return rows.map((row) => {
      const name = posix.basename(String(row.path));
      const kind = KIND_OF.get(Number(row.kind));
      return kind ? { name, kind, id: Number(row.id) } : { name, kind: 'dir' };
    });
  }

  unlink(path: string): void {
    const { path: at, kind, id } = this.existing(path);
    if (/(^|\/)\.\.\/*$/.test(path)) fail('ENOTEMPTY');
    if (!isInside(at) || at === BPFFS) fail('EBUSY');
    if (kind === FOLDER && this.objects.db.get('SELECT 1 FROM node WHERE parent = ? LIMIT 1', at)) fail('ENOTEMPTY');
    this.objects.db.run('DELETE FROM node WHERE path = ?', at);
    const object = KIND_OF.get(kind);
    if (object) this.objects.dropped({ kind: object, id });
  }
}
