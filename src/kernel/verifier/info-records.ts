// Records that user space passes with a size of its own choice: shorter ones are filled with zeros, longer ones must
// have nothing but zeros in what the kernel does not know.
import type { InfoRecords } from '../../syscall.ts';

/** Whole records; 0 for none. */
export const recordCount = (records: InfoRecords | undefined): number =>
  records === undefined || records.recSize <= 0 ? 0 : Math.floor(records.bytes.length / records.recSize);

/** Record `i` as `known` bytes; undefined where a longer one has something behind them. */
export function readRecord(records: InfoRecords, i: number, known: number): DataView | undefined {
  const { recSize, bytes } = records;
  const from = i * recSize;
  const record = new Uint8Array(known);
  record.set(bytes.subarray(from, from + Math.min(known, recSize)));
  for (let at = from + known; at < from + recSize; at++) if (bytes[at] !== 0) return undefined;
  return new DataView(record.buffer);
}
