// The header of BTF data: where types, kind layouts and strings lie.
import { ERRNO } from '../errno.ts';
import { BtfError } from './btf-error.ts';

export const BTF_MAGIC = 0xeb9f;
const SWAPPED_MAGIC = 0x9feb;
/** Bytes of the header that every producer writes. */
export const BTF_HEADER_SIZE = 24;
const EXTENDED_HEADER_SIZE = 32;
const MAX_STRING_OFFSET = 0x7fffffff;

/** Byte ranges in the whole data, already checked against its size. */
export interface BtfSections {
  littleEndian: boolean;
  types: { start: number; length: number };
  strings: { start: number; length: number };
  /** Kind layout table (4 bytes a kind); length 0 when absent. */
  layout: { start: number; length: number };
}

/** True when the bytes begin with the BTF magic of either byte order. */
export const hasBtfMagic = (bytes: Uint8Array): boolean => {
  if (bytes.length < 2) return false;
  const magic = bytes[0] | (bytes[1] << 8);
  return magic === BTF_MAGIC || magic === SWAPPED_MAGIC;
};

/**
 * Finds and checks the sections. `split` tells that there is a base, which allows an empty string section.
 * Throws BtfError. Rule: libbpf 1.8, btf.c.
 */
export const readSections = (bytes: Uint8Array, split: boolean): BtfSections => {
  if (bytes.length < BTF_HEADER_SIZE) throw new BtfError('BTF header not found');
  if (!hasBtfMagic(bytes)) throw new BtfError(`Invalid BTF magic: ${(bytes[0] | (bytes[1] << 8)).toString(16)}`);
  const littleEndian = bytes[0] === (BTF_MAGIC & 0xff);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const headerLength = view.getUint32(4, littleEndian);
  if (!littleEndian && headerLength < BTF_HEADER_SIZE) {
    throw new BtfError(`Can't load BTF with non-native endianness due to unsupported header length ${headerLength}`, {
      errno: ERRNO.EOPNOTSUPP,
      warned: true,
    });
  }
  if (headerLength > bytes.length) {
    throw new BtfError(`BTF header len ${headerLength} larger than data size ${bytes.length}`);
  }
  const field = (offset: number): number => (offset + 4 <= headerLength ? view.getUint32(offset, littleEndian) : 0);
  const typeOffset = field(8);
  const typeLength = field(12);
  const stringOffset = field(16);
  const stringLength = field(20);
  const extended = headerLength >= EXTENDED_HEADER_SIZE;
  const layoutOffset = extended ? field(24) : 0;
  const layoutLength = extended ? field(28) : 0;

  if (bytes.length - headerLength < stringOffset + stringLength) {
    throw new BtfError(`Invalid BTF total size: ${bytes.length}`);
  }
  if (typeOffset + typeLength > stringOffset) {
    throw new BtfError(
      `Invalid BTF data sections layout: type data at ${typeOffset} + ${typeLength}, ` +
        `strings data at ${stringOffset} + ${stringLength}`,
    );
  }
  if (typeOffset % 4) throw new BtfError('BTF type section is not aligned to 4 bytes');
  if (layoutLength) {
    if (layoutOffset % 4) throw new BtfError('BTF layout section is not aligned to 4 bytes');
    const place = `layout data at ${layoutOffset} + ${layoutLength}`;
    if (layoutOffset < typeOffset + typeLength) {
      throw new BtfError(`Invalid BTF data sections layout: type data at ${typeOffset} + ${typeLength},  ${place}`);
    }
    if (layoutOffset + layoutLength > stringOffset) {
      throw new BtfError(`Invalid BTF data sections layout: ${place}, strings data at ${stringOffset}`);
    }
    if (layoutLength % 4) throw new BtfError('Invalid BTF kind layout section');
  }

  const stringStart = headerLength + stringOffset;
  if (!(split && stringLength === 0)) {
    const last = bytes[stringStart + stringLength - 1];
    if (stringLength === 0 || stringLength - 1 > MAX_STRING_OFFSET || last !== 0) {
      throw new BtfError('Invalid BTF string section');
    }
    if (!split && bytes[stringStart] !== 0) {
      throw new BtfError('Malformed BTF string section, did you forget to provide base BTF?');
    }
  }
  return {
    littleEndian,
    types: { start: headerLength + typeOffset, length: typeLength },
    strings: { start: stringStart, length: stringLength },
    layout: { start: headerLength + layoutOffset, length: layoutLength },
  };
};
