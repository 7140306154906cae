// The least BTF that tells of functions: a main program and static ones, all giving an int.
import type { InfoRecords } from '../../src/syscall.ts';

const KIND = { INT: 1, FUNC: 12, FUNC_PROTO: 13 } as const;
const MAGIC = 0xeb9f;
const HEADER_BYTES = 24;
const INT_ID = 1;
const PROTO_ID = 2;
const MAIN_ID = 3;
const CALLBACK_ID = 4;
const STRINGS = '\0int\0main\0callback\0';
const at = (name: string): number => STRINGS.indexOf(`\0${name}\0`) + 1;
const info = (kind: number, vlen = 0): number => (kind << 24) | vlen;

/** BTF of a program whose functions are `main`, global, and `callback`, static. */
export function functionBtf(): Uint8Array {
  const types = Uint32Array.of(
    ...[at('int'), info(KIND.INT), 4, (1 << 24) | 32],
    ...[0, info(KIND.FUNC_PROTO), INT_ID],
    ...[at('main'), info(KIND.FUNC, 1), PROTO_ID],
    ...[at('callback'), info(KIND.FUNC), PROTO_ID],
  );
  const header = Uint32Array.of(MAGIC | (1 << 16), HEADER_BYTES, 0, types.byteLength, types.byteLength, STRINGS.length);
  return Buffer.concat([new Uint8Array(header.buffer), new Uint8Array(types.buffer), Buffer.from(STRINGS)]);
}

/** Records of the main program and of callbacks that begin at these instructions. */
export const functionRecords = (callbacks: readonly number[]): InfoRecords => ({
  recSize: 8,
  bytes: new Uint8Array(Uint32Array.of(0, MAIN_ID, ...callbacks.flatMap((start) => [start, CALLBACK_ID])).buffer),
});
