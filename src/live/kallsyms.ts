// Addresses and names of /proc/kallsyms, read at the first question.
import { hostFile } from './tree.ts';

export class KernelSymbols {
  private byAddress: Map<bigint, string> | undefined;
  private byName: Map<string, bigint> | undefined;

  private read(): void {
    if (this.byAddress) return;
    this.byAddress = new Map();
    this.byName = new Map();
    const text = new TextDecoder().decode(hostFile('/proc/kallsyms') ?? new Uint8Array());
    for (const line of text.split('\n')) {
      const [address, kind, rest] = line.split(' ', 3);
      if (rest === undefined || kind === undefined) continue;
      const value = BigInt(`0x${address}`);
      // All zeroes: addresses are hidden from this user.
      if (value === 0n) continue;
      const tab = rest.indexOf('\t');
      const name = tab < 0 ? rest : rest.slice(0, tab);
      if (!this.byAddress.has(value)) this.byAddress.set(value, name);
      if (!this.byName.has(name)) this.byName.set(name, value);
    }
  }

  /** The first name of the list at exactly this address. */
  at(address: bigint): string | undefined {
    this.read();
    return this.byAddress?.get(address);
  }

  /** A program has been loaded: its functions are not among the names that were read. */
  forget(): void {
    this.byAddress = undefined;
    this.byName = undefined;
  }

  address(name: string): bigint | undefined {
    this.read();
    return this.byName?.get(name);
  }
}
