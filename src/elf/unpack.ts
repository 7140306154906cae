// Sections that are stored compressed (SHF_COMPRESSED): a header, then zlib or zstd data.
import { inflateSync, zstdDecompressSync } from 'node:zlib';
import { ELF_FAULT, ElfError } from './errors.ts';
import type { FieldReader } from './fields.ts';

/** Largest section that is unpacked. */
const MAX_UNPACKED = 1 << 30;
const METHOD = { ZLIB: 1, ZSTD: 2 } as const;

/** The fields of a compression header are one word and, in 64-bit files, one unused; then two of an address's width. */
const sizeField = (reader: FieldReader): number => (reader.is64 ? 8 : 4);

/** The unpacked contents; `reader` is over the stored ones. Throws ElfError. */
export const unpack = (raw: Uint8Array, reader: FieldReader): Uint8Array => {
  const header = reader.sizes.compression;
  if (raw.length < header) throw new ElfError(ELF_FAULT.DATA);
  const method = reader.word(0);
  const size = reader.wideNumber(sizeField(reader));
  if (method !== METHOD.ZLIB && method !== METHOD.ZSTD) throw new ElfError(ELF_FAULT.UNKNOWN_COMPRESSION);
  if (size > MAX_UNPACKED) throw new ElfError(ELF_FAULT.DECOMPRESS);
  const body = raw.subarray(header);
  const limit = { maxOutputLength: Math.max(size, 1) };
  let out: Uint8Array;
  try {
    out = method === METHOD.ZLIB ? inflateSync(body, limit) : zstdDecompressSync(body, limit);
  } catch {
    throw new ElfError(ELF_FAULT.DECOMPRESS);
  }
  if (out.length !== size) throw new ElfError(ELF_FAULT.DECOMPRESS);
  return new Uint8Array(out.buffer, out.byteOffset, out.length);
};

/** Stored contents with the header in the byte order of this machine, which is how libelf hands them out. */
export const withNativeHeader = (raw: Uint8Array, reader: FieldReader): Uint8Array => {
  const { compression, address } = reader.sizes;
  if (reader.littleEndian || raw.length < compression) return raw;
  const copy = Uint8Array.from(raw);
  copy.subarray(0, 4).reverse();
  if (reader.is64) copy.subarray(4, 8).reverse();
  const at = sizeField(reader);
  copy.subarray(at, at + address).reverse();
  copy.subarray(at + address, at + 2 * address).reverse();
  return copy;
};
