// -f: which paths of the bpf file system an object is pinned at, in the order in which bpftool prints them.
import { isErrno } from '../src/errno.ts';
import type { PinKind } from '../src/syscall.ts';
import type { CommandContext } from './command.ts';

const ROOT = '/sys/fs/bpf';

/** libbpf's chained hash map as far as its order can be seen: entries are put at the head of a chain, and each time
 * the table grows every chain is turned around. */
class ChainOrder {
  private readonly chains = new Map<number, string[]>();
  private capacity = 0;
  private size = 0;

  add(id: number, path: string): void {
    if (this.capacity < 4 || (this.size + 1) * 4 > this.capacity * 3) {
      this.capacity = Math.max(4, this.capacity * 2);
      if (this.size > 0) for (const chain of this.chains.values()) chain.reverse();
    }
    this.size++;
    const chain = this.chains.get(id);
    if (chain) chain.unshift(path);
    else this.chains.set(id, [path]);
  }

  get(id: number): readonly string[] {
    return this.chains.get(id) ?? [];
  }

  get empty(): boolean {
    return this.size === 0;
  }
}

/** Paths by object id of one kind. */
export interface PinTable {
  readonly empty: boolean;
  get(id: number): readonly string[];
}

/** Walks the whole tree where -f (or `always`) asks for it; folders that cannot be read are left out. */
export function pinTable(context: CommandContext, kind: PinKind, always = false): PinTable {
  const kernel = context.kernel();
  const table = new ChainOrder();
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
      else if (entry.kind === kind && entry.id !== undefined) table.add(entry.id, full);
    }
  };
  if (always || context.options.bpffs) walk(ROOT);
  return table;
}
