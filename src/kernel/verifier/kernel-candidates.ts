// Types of the kernel that a program's type may stand for: same kind, same name up to "___flavour".
// Rule: bpf_core_find_cands, btf.c, 6.18.
import type { Btf } from '../../btf/btf.ts';
import { jhash } from './jhash.ts';

/** Length of the name without a flavour: from the last "___" that has something before and behind it. */
export function essentialNameLength(name: string): number {
  for (let i = name.length - 5; i >= 0; i--) {
    if (name.startsWith('___', i + 1) && name[i] !== '_' && name[i + 4] !== '_') return i + 1;
  }
  return name.length;
}

/** What a search has found. */
export interface Candidates {
  /** Without a flavour. */
  name: string;
  /** Ids in the kernel's BTF. */
  ids: readonly number[];
}

/** rule: VMLINUX_CAND_CACHE_SIZE, MODULE_CAND_CACHE_SIZE */
const SLOTS = 31;

/** Searches are kept by the hash of the name, a later one in place of an earlier one; kinds make no difference. */
class Cache {
  private readonly slots: (Candidates | undefined)[] = new Array(SLOTS).fill(undefined);

  find(name: string): Candidates | undefined {
    const found = this.slots[slotOf(name)];
    return found?.name === name ? found : undefined;
  }

  put(found: Candidates): Candidates {
    this.slots[slotOf(found.name)] = found;
    return found;
  }

  /** An entry at a time: Linux cuts messages that are too long. */
  tell(write: (text: string) => void): void {
    this.slots.forEach((found, i) => {
      if (found) write(`[${i}]${found.name}(${found.ids.join(' ')}), `);
    });
  }
}

const slotOf = (name: string): number => jhash(Buffer.from(name)) % SLOTS;

/** The caches of each kernel; like those of Linux they outlive the programs, though not the process. */
const caches = new WeakMap<Btf, { vmlinux: Cache; modules: Cache }>();

function cachesOf(kernel: Btf): { vmlinux: Cache; modules: Cache } {
  let known = caches.get(kernel);
  if (!known) {
    known = { vmlinux: new Cache(), modules: new Cache() };
    caches.set(kernel, known);
  }
  return known;
}

/** Ids in `kernel` of what the type `id` of `btf` may stand for; undefined where it has no name. */
export function kernelCandidates(kernel: Btf, btf: Btf, id: number): Candidates | undefined {
  const whole = btf.name(id);
  if (whole === '') return undefined;
  const kind = btf.kind(id);
  const name = whole.slice(0, essentialNameLength(whole));
  const { vmlinux, modules } = cachesOf(kernel);
  const found = vmlinux.find(name) ?? vmlinux.put({ name, ids: search(kernel, kind, name) });
  // No module has BTF of its own.
  return found.ids.length ? found : (modules.find(name) ?? modules.put({ name, ids: [] }));
}

function search(kernel: Btf, kind: number, name: string): number[] {
  const found: number[] = [];
  for (let i = 1; i < kernel.count; i++) {
    if (kernel.kind(i) !== kind) continue;
    const other = kernel.name(i);
    if (other.startsWith(name) && essentialNameLength(other) === name.length) found.push(i);
  }
  return found;
}

/** Writes the lines of a log that tell what is kept. */
export function tellCandidates(kernel: Btf, write: (text: string) => void): void {
  const { vmlinux, modules } = cachesOf(kernel);
  write('vmlinux_cand_cache:');
  vmlinux.tell(write);
  write('\nmodule_cand_cache:');
  modules.tell(write);
  write('\n');
}
