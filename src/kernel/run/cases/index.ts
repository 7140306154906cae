// All programs whose runs the kernel has been asked about.
import { CALLS, LOOPS } from './calls.ts';
import type { RunCase } from './case.ts';
import { FIELDS } from './fields.ts';
import { MAPS, QUEUES, RINGBUF } from './maps.ts';
import { CHECKSUMS, NUMBERS } from './numbers.ts';
import { PACKETS, REDIRECTS } from './packets.ts';

export const RUN_CASES: readonly RunCase[] = [
  ...FIELDS,
  ...PACKETS,
  ...CHECKSUMS,
  ...NUMBERS,
  ...LOOPS,
  ...MAPS,
  ...QUEUES,
  ...REDIRECTS,
  ...RINGBUF,
  ...CALLS,
];
