/**
 * libbpf's chained hash map as far as its order can be seen. An entry is put at the head of its key's chain; each time
 * the table grows, every chain is turned around.
 */
export class ChainOrder<Entry> {
  private readonly chains = new Map<number, Entry[]>();
  private capacity = 0;
  private size = 0;

  add(key: number, entry: Entry): void {
    if ((this.size + 1) * 4 > this.capacity * 3) {
      this.capacity = Math.max(4, this.capacity * 2);
      for (const chain of this.chains.values()) chain.reverse();
    }
    this.size++;
    const chain = this.chains.get(key);
    // Chains are kept from tail to head, so that adding is cheap.
    if (chain) chain.push(entry);
    else this.chains.set(key, [entry]);
  }

  /** Entries of a key from head to tail. */
  get(key: number): Entry[] {
    return (this.chains.get(key) ?? []).toReversed();
  }
}
