// Canonical types by the hash of what they look like.

const MIN_BITS = 2;

/**
 * Finds types of the same hash, in the order in which libbpf's table has them: the newest first, and turned around
 * whenever the table grows. The order matters where several candidates fit. Rule: libbpf 1.8, hashmap.c.
 */
export class Candidates {
  private bits = 0;
  private heads = new Int32Array(0);
  private size = 0;
  private readonly next: Int32Array;
  private readonly hashes: Int32Array;

  /** For ids below `count`, each added once at most. */
  constructor(count: number) {
    this.next = new Int32Array(count).fill(-1);
    this.hashes = new Int32Array(count);
  }

  private bucket(hash: number): number {
    return Math.imul(hash, 0x9e3779b1) >>> (32 - this.bits);
  }

  private grow(): void {
    const old = this.heads;
    this.bits = Math.max(MIN_BITS, this.bits + 1);
    this.heads = new Int32Array(2 ** this.bits).fill(-1);
    for (const head of old) {
      for (let id = head; id >= 0; ) {
        const after = this.next[id];
        const bucket = this.bucket(this.hashes[id]);
        this.next[id] = this.heads[bucket];
        this.heads[bucket] = id;
        id = after;
      }
    }
  }

  add(hash: number, id: number): void {
    if (this.heads.length === 0 || Math.floor(((this.size + 1) * 4) / 3) > this.heads.length) this.grow();
    const bucket = this.bucket(hash);
    this.hashes[id] = hash;
    this.next[id] = this.heads[bucket];
    this.heads[bucket] = id;
    this.size++;
  }

  /** The first candidate; -1 when there is none. */
  first(hash: number): number {
    return this.heads.length ? this.skip(this.heads[this.bucket(hash)], hash) : -1;
  }

  /** The candidate behind one that `first` or `after` gave. */
  after(id: number): number {
    return this.skip(this.next[id], this.hashes[id]);
  }

  private skip(id: number, hash: number): number {
    while (id >= 0 && this.hashes[id] !== hash) id = this.next[id];
    return id;
  }
}
