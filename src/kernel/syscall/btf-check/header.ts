// Header and sections of BTF. rule: btf_parse_hdr, btf_check_sec_info, btf_parse_str_sec, btf.c, 6.18
import { ERRNO } from '../../../errno.ts';
import type { VerifierLog } from '../../verifier/log.ts';
import { BtfFault } from './fault.ts';
import type { BtfSections } from './raw-btf.ts';

const MAGIC = 0xeb9f;
const VERSION = 1;
/** Bytes of the header that the kernel knows, and up to the end of its length field. */
const HEADER_BYTES = 24;
const LENGTH_END = 8;
const MAX_NAME_OFFSET = 0xffffff;

interface Section {
  offset: number;
  length: number;
}

function checkSections(sections: readonly Section[], total: number, fail: (remark: string) => never): void {
  const compare = (a: Section, b: Section): number => (a.offset - b.offset) | 0 || (a.length - b.length) | 0;
  let end = 0;
  for (const { offset, length } of [...sections].sort(compare)) {
    if (total < offset) fail('Invalid section offset');
    if (end < offset) fail('Unsupported section found');
    if (end > offset) fail('Section overlap found');
    if (total - end < length) fail('Total section length too long');
    end += length;
  }
  if (total !== end) fail('Unsupported section found');
}

/** Reads the header, writing it to the log, and checks that the sections fill the rest; throws BtfFault. */
export function readHeader(bytes: Uint8Array, log: VerifierLog): BtfSections {
  const fail = (remark: string, errno: number = ERRNO.EINVAL): never => {
    log.write(remark);
    throw new BtfFault(errno);
  };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < LENGTH_END) return fail('hdr_len not found');
  const headerBytes = view.getUint32(4, true);
  if (bytes.length < headerBytes) return fail('btf_header not found');
  if (bytes.subarray(HEADER_BYTES, headerBytes).some((byte) => byte !== 0)) {
    return fail('Unsupported btf_header', ERRNO.E2BIG);
  }
  // What a short header lacks is zero.
  const header = new DataView(new ArrayBuffer(HEADER_BYTES));
  const copied = Math.min(headerBytes, HEADER_BYTES);
  for (let i = 0; i < copied; i++) header.setUint8(i, bytes[i]);
  const u32 = (at: number): number => header.getUint32(at, true);
  const magic = header.getUint16(0, true);
  const version = header.getUint8(2);
  const flags = header.getUint8(3);
  const [typeOffset, typeBytes, stringOffset, stringBytes] = [8, 12, 16, 20].map(u32);
  for (const line of [
    `magic: 0x${magic.toString(16)}`,
    `version: ${version}`,
    `flags: 0x${flags.toString(16)}`,
    `hdr_len: ${u32(4)}`,
    `type_off: ${typeOffset}`,
    `type_len: ${typeBytes}`,
    `str_off: ${stringOffset}`,
    `str_len: ${stringBytes}`,
    `btf_total_size: ${bytes.length}`,
  ]) {
    log.write(`${line}\n`);
  }
  if (magic !== MAGIC) fail('Invalid magic');
  if (version !== VERSION) fail('Unsupported version', ERRNO.ENOTSUPP);
  if (flags !== 0) fail('Unsupported flags', ERRNO.ENOTSUPP);
  if (bytes.length === u32(4)) fail('No data');
  const types = { offset: typeOffset, length: typeBytes };
  const strings = { offset: stringOffset, length: stringBytes };
  checkSections([types, strings], bytes.length - u32(4), fail);

  if (u32(4) + stringOffset + stringBytes !== bytes.length) fail('String section is not at the end');
  const first = bytes[u32(4) + stringOffset];
  const empty = stringBytes === 0 || stringBytes - 1 > MAX_NAME_OFFSET;
  if (empty || bytes[bytes.length - 1] !== 0 || first !== 0) fail('Invalid string section');
  if (typeOffset & 3) fail('Unaligned type_off');
  if (typeBytes === 0) fail('No type found');
  return { headerBytes: u32(4), typeOffset, typeBytes, stringOffset, stringBytes };
}
