// A C struct that is filled in field by field.
import { NAME_BYTES } from '../../isa/bpf-attr.ts';

/** Zeroes where nothing was set. */
export class Fields {
  readonly bytes: Uint8Array;
  private readonly view: DataView;

  constructor(size: number) {
    this.bytes = new Uint8Array(size);
    this.view = new DataView(this.bytes.buffer);
  }

  u32(at: number, value = 0): this {
    this.view.setUint32(at, value, true);
    return this;
  }

  u64(at: number, value = 0n): this {
    this.view.setBigUint64(at, value, true);
    return this;
  }

  /** A name, cut so that its NUL has room. */
  name(at: number, value: string): this {
    this.bytes.set(Buffer.from(value).subarray(0, NAME_BYTES - 1), at);
    return this;
  }
}
