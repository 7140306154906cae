// Addresses of machine code: those of stored programs are taken, and have names.
import { PackAllocator } from '../jit/pack-allocator.ts';
import type { Database } from '../store/database.ts';
import { programCode, programSymbols } from './prog-store.ts';

export class CodeSpace {
  private readonly db: Database;
  private packs: PackAllocator | undefined;
  private names = new Map<bigint, string>();
  private namedUpTo = -1;

  constructor(db: Database) {
    this.db = db;
  }

  /** Address for `bytes` bytes of code; stored programs keep theirs. */
  allocate(bytes: number): bigint {
    if (!this.packs) {
      this.packs = new PackAllocator();
      for (const row of this.db.all('SELECT functions FROM prog')) {
        for (const { address, length } of programCode(row)) this.packs.reserve(address, length);
      }
    }
    return this.packs.allocate(bytes);
  }

  /** Name of the BPF function at exactly this address. */
  symbolAt(address: bigint): string | undefined {
    const newest = Number(this.db.get('SELECT coalesce(max(id), 0) AS id FROM prog')?.id);
    if (newest !== this.namedUpTo) {
      this.names = new Map();
      for (const row of this.db.all('SELECT tag, functions FROM prog')) {
        for (const { address: at, name } of programSymbols(row)) this.names.set(at, name);
      }
      this.namedUpTo = newest;
    }
    return this.names.get(address);
  }
}
