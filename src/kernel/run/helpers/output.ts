// Helpers that tell user space something: ring buffers, perf events, text.
import { ERRNO } from '../../../errno.ts';
import type { HelperFn, Machine } from '../machine.ts';
import { RunRingbuf } from '../maps/ringbuf.ts';
import type { HelperTable } from '../program.ts';
import { formatText } from './format.ts';
import { bytesOf } from './memory.ts';

/** Throws RunFault where there is none. */
export function ringBuffer(m: Machine, address: bigint): RunRingbuf {
  const map = m.map(address);
  if (!(map instanceof RunRingbuf)) throw m.fault('no ring buffer');
  return map;
}

/** Ends the record that begins at an address. Throws RunFault where there is none. */
export function finishRecord(m: Machine, address: bigint, discard: boolean): void {
  for (const map of m.maps.values()) if (map instanceof RunRingbuf && map.finish(address, discard)) return;
  throw m.fault('no record to submit');
}

const finish =
  (discard: boolean): HelperFn =>
  (m, r1) => {
    finishRecord(m, r1, discard);
    return 0n;
  };

/** Key in Machine.state of the records that perf_event_output has written. */
export const PERF_RECORDS: unique symbol = Symbol('perf records');

const perfOutput: HelperFn = (m, _context, map, _flags, r4, r5) => {
  const records = (m.state.get(PERF_RECORDS) as { map: bigint; bytes: Uint8Array }[] | undefined) ?? [];
  m.state.set(PERF_RECORDS, records);
  records.push({ map, bytes: Uint8Array.from(bytesOf(m, r4, r5)) });
  return 0n;
};

/** At most three arguments in registers. rule: bpf_trace_printk, 6.18 */
const tracePrintk: HelperFn = (m, r1, r2, r3, r4, r5) => {
  const text = formatText(m, bytesOf(m, r1, r2), [r3, r4, r5]);
  if (typeof text === 'number') return BigInt(text);
  m.trace.push(text);
  return BigInt(Buffer.byteLength(text));
};

const words = (m: Machine, address: bigint, bytes: bigint): bigint[] => {
  const data = bytesOf(m, address, bytes);
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  return Array.from({ length: data.length >> 3 }, (_, i) => view.getBigUint64(i * 8, true));
};

const traceVprintk: HelperFn = (m, r1, r2, r3, r4) => {
  const text = formatText(m, bytesOf(m, r1, r2), words(m, r3, r4));
  if (typeof text === 'number') return BigInt(text);
  m.trace.push(text);
  return BigInt(Buffer.byteLength(text));
};

/** Gives the length of all with the NUL, even where it does not fit. rule: bpf_snprintf, 6.18 */
const snprintf: HelperFn = (m, r1, r2, r3, r4, r5) => {
  const out = bytesOf(m, r1, r2);
  const text = formatText(m, m.memory.cString(r3, 1 << 16), words(m, r4, r5));
  if (typeof text === 'number') return BigInt(text);
  const bytes = Buffer.from(text, 'latin1');
  if (out.length > 0) {
    const kept = bytes.subarray(0, out.length - 1);
    out.set(kept);
    out[kept.length] = 0;
  }
  return BigInt(bytes.length + 1);
};

export const OUTPUT_HELPERS: HelperTable = {
  ringbuf_output: (m, r1, r2, r3, r4) =>
    r4 & ~3n ? BigInt(-ERRNO.EINVAL) : BigInt(ringBuffer(m, r1).output(m.memory.bytesAt(r2, Number(r3)))),
  ringbuf_reserve: (m, r1, r2, r3) => (r3 === 0n ? ringBuffer(m, r1).reserve(Number(r2)) : 0n),
  ringbuf_submit: finish(false),
  ringbuf_discard: finish(true),
  ringbuf_query: (m, r1, r2) => ringBuffer(m, r1).query(r2),
  perf_event_output: perfOutput,
  trace_printk: tracePrintk,
  trace_vprintk: traceVprintk,
  snprintf,
};
