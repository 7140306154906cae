// Dynamic pointers: three words on the stack that say where, how much and what kind. rule: struct bpf_dynptr_kern, 6.18
import { ERRNO } from '../../../errno.ts';
import type { HelperFn, Machine } from '../machine.ts';
import type { HelperTable } from '../program.ts';
import { finishRecord, ringBuffer } from './output.ts';

const SIZE_MASK = 0xffffff;
const TYPE_SHIFT = 28;
const READ_ONLY = 0x80000000;
const LOCAL = 1;
const RINGBUF = 2;
/** Above this no dynamic pointer is long enough. */
const MAX_SIZE = (1 << 24) - 1;
const EINVAL = BigInt(-ERRNO.EINVAL);
const E2BIG = BigInt(-ERRNO.E2BIG);

const u32 = (r: bigint): number => Number(BigInt.asUintN(32, r));

interface Dynptr {
  data: bigint;
  size: number;
  offset: number;
  readOnly: boolean;
}

function read(m: Machine, at: bigint): Dynptr {
  const size = u32(m.memory.read(at + 8n, 4));
  return {
    data: m.memory.read(at, 8),
    size: size & SIZE_MASK,
    offset: u32(m.memory.read(at + 12n, 4)),
    readOnly: (size & READ_ONLY) !== 0,
  };
}

function write(m: Machine, at: bigint, data: bigint, size: number, type: number): void {
  m.memory.write(at, 8, data);
  m.memory.write(at + 8n, 4, BigInt((size | (type << TYPE_SHIFT)) >>> 0));
  m.memory.write(at + 12n, 4, 0n);
}

const clear = (m: Machine, at: bigint): void => write(m, at, 0n, 0, 0);

const beyond = ({ size }: Dynptr, offset: number, length: number): boolean => length > size || offset > size - length;

const fromMemory: HelperFn = (m, r1, r2, r3, r4) => {
  const bad = u32(r2) > MAX_SIZE ? E2BIG : r3 !== 0n ? EINVAL : 0n;
  if (bad === 0n) write(m, r4, r1, u32(r2), LOCAL);
  else clear(m, r4);
  return bad;
};

const readInto: HelperFn = (m, r1, r2, r3, r4, r5) => {
  const from = read(m, r3);
  if (from.data === 0n || r5 !== 0n) return EINVAL;
  if (beyond(from, u32(r4), u32(r2))) return E2BIG;
  const start = from.data + BigInt(from.offset + u32(r4));
  m.memory.bytesAt(r1, u32(r2), true).set(Uint8Array.from(m.memory.bytesAt(start, u32(r2))));
  return 0n;
};

const writeFrom: HelperFn = (m, r1, r2, r3, r4, r5) => {
  const to = read(m, r1);
  if (to.data === 0n || to.readOnly || r5 !== 0n) return EINVAL;
  if (beyond(to, u32(r2), u32(r4))) return E2BIG;
  const start = to.data + BigInt(to.offset + u32(r2));
  m.memory.bytesAt(start, u32(r4), true).set(Uint8Array.from(m.memory.bytesAt(r3, u32(r4))));
  return 0n;
};

/** Address of `r3` bytes at `r2`; 0 where there are not as many. */
const data: HelperFn = (m, r1, r2, r3) => {
  const pointer = read(m, r1);
  if (pointer.data === 0n || pointer.readOnly || beyond(pointer, u32(r2), u32(r3))) return 0n;
  return pointer.data + BigInt(pointer.offset + u32(r2));
};

const reserve: HelperFn = (m, r1, r2, r3, r4) => {
  clear(m, r4);
  if (r3 !== 0n) return EINVAL;
  if (u32(r2) > MAX_SIZE) return E2BIG;
  const address = ringBuffer(m, r1).reserve(u32(r2));
  if (address === 0n) return EINVAL;
  write(m, r4, address, u32(r2), RINGBUF);
  return 0n;
};

const finish =
  (discard: boolean): HelperFn =>
  (m, r1) => {
    const { data: record } = read(m, r1);
    if (record !== 0n) finishRecord(m, record, discard);
    clear(m, r1);
    return 0n;
  };

export const DYNPTR_HELPERS: HelperTable = {
  dynptr_from_mem: fromMemory,
  dynptr_read: readInto,
  dynptr_write: writeFrom,
  dynptr_data: data,
  ringbuf_reserve_dynptr: reserve,
  ringbuf_submit_dynptr: finish(false),
  ringbuf_discard_dynptr: finish(true),
};
