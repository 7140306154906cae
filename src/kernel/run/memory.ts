// Memory of a running program: regions with 64-bit addresses, and nothing between them.

/** How a program's access ended where Linux would have had a fault or worse. */
export class RunFault extends Error {
  /** Instruction that was being executed; -1 while none was. */
  readonly pc: number;
  constructor(message: string, pc = -1) {
    super(message);
    this.name = 'RunFault';
    this.pc = pc;
  }
}

/** What stands behind a part of the address space. */
export interface Region {
  /** For messages, and for whoever wants to know what a pointer points to. */
  readonly name: string;
  readonly base: bigint;
  /** Contents. A region with `load` and `store` may have fewer bytes than `size`. */
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly size: number;
  readonly writable: boolean;
  /** Stands in for reading `bytes` where it gives a value, unsigned and as wide as asked or (pointers) wider. */
  readonly load: ((offset: number, size: number) => bigint | undefined) | undefined;
  /** Stands in for writing where it gives true. */
  readonly store: ((offset: number, size: number, value: bigint) => boolean) | undefined;
  /** What the region belongs to: a map, a frame… */
  readonly owner: unknown;
}

export interface RegionOptions {
  name?: string;
  /** Address; one that is free unless given. */
  base?: bigint;
  /** Used as it is, not copied. */
  bytes?: Uint8Array;
  /** Bytes; those of `bytes` unless given. */
  size?: number;
  /** True unless given. */
  writable?: boolean;
  load?: Region['load'];
  store?: Region['store'];
  owner?: unknown;
}

/** Where regions without an address of their own begin: a part of the direct mapping that maps do not use. */
const FREE_BASE = 0xffff900000000000n;
const PAGE_SHIFT = 12n;
const PAGE = 1 << 12;

/** Addresses modulo 2^64. */
const wrap = (address: bigint): bigint => BigInt.asUintN(64, address);

/**
 * Address space of one machine. Accesses must lie inside one region: crossing its end is a fault. Regions that memory
 * places itself have at least a page of nothing on either side.
 */
export class Memory {
  private regions: Region[] = [];
  private last: Region | undefined = undefined;
  private next = FREE_BASE;

  /** Makes a region. Throws RunFault where it would lie over another. */
  add(options: RegionOptions): Region {
    const bytes = options.bytes ?? new Uint8Array(options.size ?? 0);
    const size = options.size ?? bytes.length;
    const base = options.base ?? this.place(size);
    const region: Region = {
      name: options.name ?? 'memory',
      base,
      bytes,
      view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
      size,
      writable: options.writable ?? true,
      load: options.load,
      store: options.store,
      owner: options.owner,
    };
    const at = this.indexAfter(base);
    const before = this.regions[at - 1];
    const after = this.regions[at];
    if (before !== undefined && before.base + BigInt(Math.max(before.size, 1)) > base) {
      throw new RunFault(`${region.name} lies over ${before.name}`);
    }
    if (after !== undefined && base + BigInt(Math.max(size, 1)) > after.base) {
      throw new RunFault(`${region.name} lies over ${after.name}`);
    }
    this.regions.splice(at, 0, region);
    return region;
  }

  remove(region: Region): void {
    const at = this.regions.indexOf(region);
    if (at >= 0) this.regions.splice(at, 1);
    if (this.last === region) this.last = undefined;
  }

  private place(size: number): bigint {
    const base = this.next;
    const pages = BigInt(Math.ceil((size + 1) / PAGE) + 1);
    this.next += pages << PAGE_SHIFT;
    return base;
  }

  /** Index of the first region that begins after `address`. */
  private indexAfter(address: bigint): number {
    let low = 0;
    let high = this.regions.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.regions[middle].base <= address) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The region that holds all `size` bytes from `address`, or just the address with size 0; undefined for none. */
  find(address: bigint, size = 0): Region | undefined {
    let region = this.last;
    if (region === undefined || address < region.base || address >= region.base + BigInt(region.size)) {
      region = this.regions[this.indexAfter(address) - 1];
      if (region === undefined) return undefined;
      this.last = region;
    }
    const offset = Number(address - region.base);
    return offset + size <= region.size ? region : undefined;
  }

  private at(address: bigint, size: number, writing: boolean): Region {
    const region = this.find(address, size);
    if (region === undefined) {
      throw new RunFault(`${writing ? 'write' : 'read'} of ${size} bytes at 0x${address.toString(16)}`);
    }
    if (writing && !region.writable) throw new RunFault(`write of ${size} bytes into ${region.name}`);
    return region;
  }

  /** Unsigned value of 1, 2, 4 or 8 bytes. Throws RunFault where there is nothing. */
  read(address: bigint, size: number): bigint {
    const region = this.at(address, size, false);
    const offset = Number(address - region.base);
    if (region.load !== undefined) {
      const value = region.load(offset, size);
      if (value !== undefined) return value;
    }
    switch (size) {
      case 1:
        return BigInt(region.bytes[offset]);
      case 2:
        return BigInt(region.view.getUint16(offset, true));
      case 4:
        return BigInt(region.view.getUint32(offset, true));
      default:
        return region.view.getBigUint64(offset, true);
    }
  }

  /** Stores the lowest `size` bytes of `value`. Throws RunFault where nothing can be written. */
  write(address: bigint, size: number, value: bigint): void {
    const region = this.at(address, size, true);
    const offset = Number(address - region.base);
    if (region.store?.(offset, size, value)) return;
    switch (size) {
      case 1:
        region.bytes[offset] = Number(BigInt.asUintN(8, value));
        break;
      case 2:
        region.view.setUint16(offset, Number(BigInt.asUintN(16, value)), true);
        break;
      case 4:
        region.view.setUint32(offset, Number(BigInt.asUintN(32, value)), true);
        break;
      default:
        region.view.setBigUint64(offset, BigInt.asUintN(64, value), true);
    }
  }

  /** The bytes themselves, not a copy: changes show. Empty for size 0, whatever the address. */
  bytesAt(address: bigint, size: number, writing = false): Uint8Array {
    if (size === 0) return new Uint8Array(0);
    const region = this.at(wrap(address), size, writing);
    const offset = Number(wrap(address) - region.base);
    return region.bytes.subarray(offset, offset + size);
  }

  /** Bytes from `address` up to the first NUL (without it), at most `limit` or as many as there are. */
  cString(address: bigint, limit: number): Uint8Array {
    const region = this.at(wrap(address), 1, false);
    const offset = Number(wrap(address) - region.base);
    const rest = region.bytes.subarray(offset, offset + limit);
    const end = rest.indexOf(0);
    return end < 0 ? rest : rest.subarray(0, end);
  }
}
