// Memory of the test machines: a few regions, everything else faults.

/** An access outside of all regions. */
export class Fault extends Error {
  readonly address: bigint;

  constructor(address: bigint) {
    super(`no memory at 0x${address.toString(16)}`);
    this.address = address;
  }
}

interface Region {
  base: bigint;
  view: DataView;
}

export class Memory {
  private readonly regions: Region[] = [];

  /** Makes `bytes` appear at `base`; they are changed by stores. */
  map(base: bigint, bytes: Uint8Array): void {
    this.regions.push({ base, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength) });
  }

  private find(address: bigint, size: number): [DataView, number] {
    for (const { base, view } of this.regions) {
      const at = address - base;
      if (at >= 0n && at + BigInt(size) <= BigInt(view.byteLength)) return [view, Number(at)];
    }
    throw new Fault(address);
  }

  /** Unsigned value of 1, 2, 4 or 8 bytes, little-endian. Throws Fault. */
  read(address: bigint, size: number): bigint {
    const [view, at] = this.find(address, size);
    if (size === 8) return view.getBigUint64(at, true);
    return BigInt(size === 4 ? view.getUint32(at, true) : size === 2 ? view.getUint16(at, true) : view.getUint8(at));
  }

  write(address: bigint, size: number, value: bigint): void {
    const [view, at] = this.find(address, size);
    if (size === 8) view.setBigUint64(at, BigInt.asUintN(64, value), true);
    else {
      const low = Number(BigInt.asUintN(32, value));
      if (size === 4) view.setUint32(at, low, true);
      else if (size === 2) view.setUint16(at, low & 0xffff, true);
      else view.setUint8(at, low & 0xff);
    }
  }
}
