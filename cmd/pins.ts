// -f: which paths of the bpf file system an object is pinned at, in the order in which bpftool prints them.
import { isErrno } from '../src/errno.ts';
import type { PinKind } from '../src/syscall.ts';
import { ChainOrder } from './btf/chain-order.ts';
import type { CommandContext } from './command.ts';

const ROOT = '/sys/fs/bpf';

/** Paths by object id of one kind. */
export interface PinTable {
  readonly empty: boolean;
  get(id: number): readonly string[];
}

/** Walks the whole tree where -f (or `always`) asks for it; folders that cannot be read are left out. */
export function pinTable(context: CommandContext, kind: PinKind, always = false): PinTable {
  const kernel = context.kernel();
  const table = new ChainOrder<string>();
  let empty = true;
  const walk = (path: string): void => {
    let entries: ReturnType<typeof kernel.treeList>;
    try {
      entries = kernel.treeList(path);
    } catch (e) {
      if (isErrno(e, 'ENOENT') || isErrno(e, 'EACCES')) return;
      throw e;
    }
    for (const entry of entries) {
      const full = `${path}/${entry.name}`;
      if (entry.kind === 'dir') walk(full);
      else if (entry.kind === kind && entry.id !== undefined) {
        table.add(entry.id, full);
        empty = false;
      }
    }
  };
  if (always || context.options.bpffs) walk(ROOT);
  return { empty, get: (id) => table.get(id) };
}
