// The section .BTF.ext: function and line records and CO-RE relocations, grouped by code section.
import type { Messages } from './print.ts';

const MAGIC = 0xeb9f;
const SWAPPED_MAGIC = 0x9feb;
/** Bytes of the header up to and with each pair of fields. */
const HEADER_WITH_LINES = 24;
const HEADER_WITH_CORE = 32;
/** Smallest records: bpf_func_info, bpf_line_info, bpf_core_relo. */
const MIN_RECORD = { func_info: 8, line_info: 16, core_relo: 16 } as const;

/** The records of one code section. */
export interface ExtGroup {
  /** Offset of the section's name in the object's BTF strings. */
  nameOffset: number;
  /** Number of that section; 0 when the object has none of that name. */
  sectionIndex: number;
  count: number;
  /** count × recSize bytes. */
  bytes: Uint8Array;
}

export interface ExtTable {
  recSize: number;
  groups: ExtGroup[];
}

/** A CO-RE relocation (`struct bpf_core_relo`). */
export interface CoreRelo {
  /** Bytes from the start of the section. */
  insnOff: number;
  typeId: number;
  accessOffset: number;
  kind: number;
  /** Number of that section in the object file, where it comes from one. */
  sectionIndex?: number;
}

export interface BtfExt {
  funcInfo: ExtTable;
  lineInfo: ExtTable;
  coreRelos: ExtTable;
}

/** The section cannot be used; libbpf goes on without it. */
export class BtfExtError extends Error {
  readonly errno: number;
  constructor(errno: number) {
    super('.BTF.ext is malformed');
    this.errno = errno;
  }
}

const EINVAL = 22;
const EOPNOTSUPP = 95;

/** Data of the other byte order in that of this machine: everything but the first four bytes is 32-bit words. */
const swapWords = (bytes: Uint8Array): Uint8Array => {
  const copy = Buffer.alloc((bytes.length + 3) & ~3);
  copy.set(bytes);
  copy.swap32();
  copy.set([bytes[1], bytes[0], bytes[2], bytes[3]]);
  return new Uint8Array(copy.buffer, copy.byteOffset, bytes.length);
};

/**
 * Reads the section, of either byte order; the records come out little-endian. `sectionIndex` finds a code section by the offset of its name. Throws BtfExtError.
 * Source of the layout and the checks: libbpf 1.8.
 */
export function readBtfExt(data: Uint8Array, sectionIndex: (nameOffset: number) => number, messages: Messages): BtfExt {
  const fail: (errno: number, text: string) => never = (errno, text) => {
    messages.debug(() => text);
    throw new BtfExtError(errno);
  };
  if (data.length < 8) fail(EINVAL, 'BTF.ext header too short');
  const swapped = (data[0] | (data[1] << 8)) === SWAPPED_MAGIC;
  const bytes = swapped ? swapWords(data) : data;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const magic = view.getUint16(0, true);
  if (magic !== MAGIC) fail(EINVAL, `Invalid BTF.ext magic:${magic.toString(16)}`);
  if (bytes[2] !== 1) fail(EOPNOTSUPP, `Unsupported BTF.ext version:${bytes[2]}`);
  if (bytes[3] !== 0) fail(EOPNOTSUPP, `Unsupported BTF.ext flags:${bytes[3].toString(16)}`);
  const headerLength = view.getUint32(4, true);
  if (bytes.length < headerLength) fail(EINVAL, 'BTF.ext header not found');
  if (bytes.length === headerLength) fail(EINVAL, 'BTF.ext has no data');
  if (headerLength < HEADER_WITH_LINES) {
    messages.warn('BTF.ext header missing func_info, line_info');
    throw new BtfExtError(EINVAL);
  }

  const table = (name: keyof typeof MIN_RECORD, offset: number, length: number): ExtTable => {
    if (length === 0) return { recSize: 0, groups: [] };
    if (offset & 3) fail(EINVAL, `.BTF.ext ${name} section is not aligned to 4 bytes`);
    const start = headerLength + offset;
    if (bytes.length < start + length) {
      fail(EINVAL, `${name} section (off:${offset} len:${length}) is beyond the end of the ELF section .BTF.ext`);
    }
    if (length < 4) fail(EINVAL, `.BTF.ext ${name} record size not found`);
    const recSize = view.getUint32(start, true);
    // Records of unknown fields cannot be swapped.
    if (recSize < MIN_RECORD[name] || (swapped && recSize !== MIN_RECORD[name]) || recSize & 3) {
      fail(EINVAL, `${name} section in .BTF.ext has invalid record size ${recSize}`);
    }
    let left = length - 4;
    if (left === 0) fail(EINVAL, `${name} section in .BTF.ext has no records`);
    const groups: ExtGroup[] = [];
    for (let at = start + 4; left > 0; ) {
      if (left < 8) fail(EINVAL, `${name} section header is not found in .BTF.ext`);
      const nameOffset = view.getUint32(at, true);
      const count = view.getUint32(at + 4, true);
      const total = 8 + count * recSize;
      if (count === 0 || left < total) fail(EINVAL, `${name} section has incorrect num_records in .BTF.ext`);
      groups.push({
        nameOffset,
        sectionIndex: sectionIndex(nameOffset),
        count,
        bytes: bytes.subarray(at + 8, at + total),
      });
      at += total;
      left -= total;
    }
    return { recSize, groups };
  };

  const funcInfo = table('func_info', view.getUint32(8, true), view.getUint32(12, true));
  const lineInfo = table('line_info', view.getUint32(16, true), view.getUint32(20, true));
  const coreRelos =
    headerLength < HEADER_WITH_CORE
      ? { recSize: 0, groups: [] }
      : table('core_relo', view.getUint32(24, true), view.getUint32(28, true));
  return { funcInfo, lineInfo, coreRelos };
}

/** CO-RE relocation number `i` of a group. */
export function coreRelo(table: ExtTable, group: ExtGroup, i: number): CoreRelo {
  const at = i * table.recSize;
  const view = new DataView(group.bytes.buffer, group.bytes.byteOffset, group.bytes.byteLength);
  return {
    insnOff: view.getUint32(at, true),
    typeId: view.getUint32(at + 4, true),
    accessOffset: view.getUint32(at + 8, true),
    kind: view.getUint32(at + 12, true),
    sectionIndex: group.sectionIndex,
  };
}
