// BPF_BTF_LOAD: what the kernel checks of BTF before it keeps it, with its own words in the log.
import { Btf, BtfError } from '../../btf/btf.ts';
import { ERRNO, SysError } from '../../errno.ts';
import type { LogRequest } from '../../syscall.ts';
import { VerifierLog } from '../verifier/log.ts';

const MAGIC = 0xeb9f;
const HEADER_BYTES = 24;
const MAX_BYTES = 16 << 20;
const MAX_NAME_OFFSET = 0xffffff;

/** Reads a header field; the caller has checked the length. */
const u32 = (b: Uint8Array, at: number): number => new DataView(b.buffer, b.byteOffset).getUint32(at, true);
const u16 = (b: Uint8Array, at: number): number => new DataView(b.buffer, b.byteOffset).getUint16(at, true);

/** First thing wrong with the header or the sections; undefined when nothing is. rule: btf_parse_hdr, 6.18 */
function headerFault(bytes: Uint8Array): { text: string; errno?: number } | undefined {
  if (bytes.length < 8) return { text: 'hdr_len not found' };
  const length = u32(bytes, 4);
  if (bytes.length < length) return { text: 'btf_header not found' };
  if (length > HEADER_BYTES && bytes.subarray(HEADER_BYTES, length).some((b) => b !== 0)) {
    return { text: 'Unsupported btf_header', errno: ERRNO.E2BIG };
  }
  const field = (at: number): number => (at + 4 <= length ? u32(bytes, at) : 0);
  if (u16(bytes, 0) !== MAGIC) return { text: 'Invalid magic' };
  if (bytes[2] !== 1) return { text: 'Unsupported version', errno: ERRNO.ENOTSUPP };
  if (bytes[3] !== 0) return { text: 'Unsupported flags', errno: ERRNO.ENOTSUPP };
  if (bytes.length === length) return { text: 'No data' };
  const [typeOff, typeLen, strOff, strLen] = [8, 12, 16, 20].map(field);
  const total = bytes.length - length;
  const sections = [
    { off: typeOff, len: typeLen },
    { off: strOff, len: strLen },
  ].sort((a, b) => a.off - b.off);
  let end = 0;
  for (const { off, len } of sections) {
    if (off < end) return { text: 'Section overlap found' };
    if (off > end) return { text: 'Unsupported section found' };
    if (total - end < len) return { text: 'Total section length too long' };
    end += len;
  }
  if (end !== total) return { text: 'Unsupported section found' };
  if (typeOff & 3) return { text: 'Unaligned type_off' };
  if (typeLen === 0) return { text: 'No type found' };
  const strings = bytes.subarray(length + strOff, length + strOff + strLen);
  if (strOff + strLen !== total) return { text: 'String section is not at the end' };
  if (strLen === 0 || strLen - 1 > MAX_NAME_OFFSET || strings[0] !== 0 || strings[strLen - 1] !== 0) {
    return { text: 'Invalid string section' };
  }
  return undefined;
}

/** The kernel's line about the header at the head of its log. */
function headerText(bytes: Uint8Array): string {
  const at = (n: number): number => (bytes.length >= n + 4 ? u32(bytes, n) : 0);
  return [
    `magic: 0x${u16(bytes, 0).toString(16)}`,
    `version: ${bytes[2]}`,
    `flags: 0x${bytes[3].toString(16)}`,
    `hdr_len: ${at(4)}`,
    `type_off: ${at(8)}`,
    `type_len: ${at(12)}`,
    `str_off: ${at(16)}`,
    `str_len: ${at(20)}`,
    `btf_total_size: ${bytes.length}`,
  ].join('\n');
}

/** Checks BTF bytes; throws SysError, the reason having gone to the log. */
export function checkBtf(bytes: Uint8Array, request: LogRequest | undefined): Btf {
  if (bytes.length > MAX_BYTES) throw new SysError('E2BIG');
  const log = new VerifierLog(request?.level ?? 0, request?.size ?? 0);
  const finish = (): void => {
    if (!request) return;
    request.text = log.finish();
    request.trueSize = log.trueSize;
  };
  const fail = (text: string, errno: number = ERRNO.EINVAL): never => {
    log.write(`${text}\n`);
    finish();
    throw new SysError(errno);
  };
  const fault = headerFault(bytes);
  if (fault && bytes.length < HEADER_BYTES) return fail(fault.text, fault.errno);
  log.write(`${headerText(bytes)}\n`);
  if (fault) return fail(fault.text, fault.errno);
  try {
    const btf = Btf.parse(bytes);
    finish();
    return btf;
  } catch (e) {
    if (e instanceof BtfError) return fail(e.message);
    throw e;
  }
}
