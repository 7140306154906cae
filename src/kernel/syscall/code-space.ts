// Addresses of machine code: those of stored programs are taken, and have names.
import { PackAllocator } from '../jit/pack-allocator.ts';
import type { Database } from '../store/database.ts';
import { programCode, programSymbols } from './prog-store.ts';

/** Room for the code of one load. */
export class CodeSpace {
  private readonly db: Database;
  private packs: PackAllocator | undefined;

  constructor(db: Database) {
    this.db = db;
  }

  /** Address for `bytes` bytes of code; stored programs keep theirs. */
  allocate(bytes: number): bigint {
    if (!this.packs) {
      this.packs = new PackAllocator();
      for (const row of this.db.all('SELECT functions FROM prog ORDER BY id')) {
        for (const { address, length } of programCode(row)) this.packs.reserve(address, length);
      }
    }
    return this.packs.allocate(bytes);
  }
}

/** Names of the functions of stored programs by their addresses. */
export class CodeNames {
  private readonly db: Database;
  private names = new Map<bigint, string>();
  private known = '';

  constructor(db: Database) {
    this.db = db;
  }

  /** Name of the BPF function at exactly this address. */
  at(address: bigint): string | undefined {
    const version = this.version();
    if (version !== this.known) {
      const rows = this.db.all('SELECT tag, functions FROM prog');
      this.names = new Map(rows.flatMap(programSymbols).map((symbol) => [symbol.address, symbol.name]));
      this.known = version;
    }
    return this.names.get(address);
  }

  /** Changes whenever programs come or go. */
  private version(): string {
    const row = this.db.get('SELECT count(*) AS n, max(id) AS last FROM prog');
    return `${row?.n} ${row?.last}`;
  }
}
