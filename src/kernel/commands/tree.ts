// The bpf file system: folders and pins under /sys/fs/bpf.
import { posix } from 'node:path';
import { SysError } from '../../errno.ts';
import type { ObjectKind, PinKind, TreeEntry } from '../../syscall.ts';
import { KIND } from '../store/schema.ts';
import type { ObjectId, ObjectStore } from './object-store.ts';

export const BPFFS = '/sys/fs/bpf';
const DIR = 0;
const PINNABLE: readonly PinKind[] = ['prog', 'map', 'link'];
const NAME_MAX = 255;
const PATH_MAX = 4096;

/** Absolute and without dots or doubled slashes. */
function clean(path: string): string {
  if (path.length >= PATH_MAX) throw new SysError('ENAMETOOLONG');
  const whole = posix.normalize(posix.isAbsolute(path) ? path : posix.join(process.cwd(), path));
  return whole.length > 1 && whole.endsWith('/') ? whole.slice(0, -1) : whole;
}

const inside = (path: string): boolean => path === BPFFS || path.startsWith(`${BPFFS}/`);

export class Tree {
  private readonly objects: ObjectStore;

  constructor(objects: ObjectStore) {
    this.objects = objects;
  }

  private node(path: string): { kind: number; id: number } | undefined {
    if (path === BPFFS) return { kind: DIR, id: 0 };
    const row = this.objects.db.get('SELECT kind, id FROM node WHERE path = ?', path);
    return row && { kind: Number(row.kind), id: Number(row.id) };
  }

  /** Adds a node where its folder is and nothing stands yet. rule: bpf_obj_do_pin, bpf_lookup, 6.18 */
  private add(path: string, kind: number, id: number): void {
    const parent = posix.dirname(path);
    if (!inside(path) || path === BPFFS) throw new SysError(path === BPFFS ? 'EEXIST' : 'EPERM');
    const folder = this.node(parent);
    if (!folder) throw new SysError('ENOENT');
    if (folder.kind !== DIR) throw new SysError('ENOTDIR');
    const name = posix.basename(path);
    if (name.length > NAME_MAX) throw new SysError('ENAMETOOLONG');
    if (this.node(path)) throw new SysError('EEXIST');
    // Names with dots are kept for later extensions of the file system.
    if (name.includes('.')) throw new SysError('EPERM');
    this.objects.db.run('INSERT INTO node VALUES (?, ?, ?, ?)', path, parent, kind, id);
  }

  pin(path: string, object: ObjectId): void {
    if (!PINNABLE.includes(object.kind as PinKind)) throw new SysError('EINVAL');
    this.add(clean(path), KIND[object.kind], object.id);
  }

  mkdir(path: string): void {
    this.add(clean(path), DIR, 0);
  }

  get(path: string): { kind: PinKind; id: number } {
    const whole = clean(path);
    const node = this.node(whole);
    if (!node) throw new SysError('ENOENT');
    const kind = (Object.keys(KIND) as ObjectKind[]).find((k) => KIND[k] === node.kind);
    if (!kind) throw new SysError('EACCES');
    return { kind, id: node.id };
  }

  list(path: string): TreeEntry[] {
    const whole = clean(path);
    const node = this.node(whole);
    if (!node) throw new SysError('ENOENT');
    if (node.kind !== DIR) throw new SysError('ENOTDIR');
    // Newest first, as the file system gives them.
    const rows = this.objects.db.all('SELECT path, kind, id FROM node WHERE parent = ? ORDER BY path', whole);
    return rows.map((row) => {
      const name = posix.basename(String(row.path));
      const kind = (Object.keys(KIND) as ObjectKind[]).find((k) => KIND[k] === Number(row.kind));
      return kind ? { name, kind, id: Number(row.id) } : { name, kind: 'dir' };
    });
  }

  unlink(path: string): void {
    const whole = clean(path);
    const node = this.node(whole);
    if (!node) throw new SysError('ENOENT');
    if (whole === BPFFS) throw new SysError('EBUSY');
    if (node.kind === DIR && this.objects.db.get('SELECT 1 FROM node WHERE parent = ? LIMIT 1', whole)) {
      throw new SysError('ENOTEMPTY');
    }
    this.objects.db.run('DELETE FROM node WHERE path = ?', whole);
    const kind = (Object.keys(KIND) as ObjectKind[]).find((k) => KIND[k] === node.kind);
    if (kind) this.objects.collect({ kind, id: node.id });
  }
}
