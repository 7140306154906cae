// Ring buffers and dynptrs: prototypes of the helper functions, by helper number; variants stand beside their kind.
import { A, type ProtoTable, R } from '../verifier/helper-proto.ts';

export const RINGBUF_DYNPTR_HELPERS = {
  ringbuf_output: { ret: R.int, args: [A.map, A.mem, A.sizeOrZero, A.any] },
  ringbuf_reserve: { ret: R.ringbufMemOrNull, args: [A.map, A.allocSize, A.any] },
  ringbuf_submit: { ret: R.void, args: [A.releaseRingbuf, A.any] },
  ringbuf_discard: { ret: R.void, args: [A.releaseRingbuf, A.any] },
  ringbuf_query: { ret: R.int, args: [A.map, A.any] },
  dynptr_from_mem: { ret: R.int, args: [A.out, A.sizeOrZero, A.any, A.newLocalDynptr] },
  ringbuf_reserve_dynptr: { ret: R.int, args: [A.map, A.any, A.any, A.newRingbufDynptr] },
  ringbuf_submit_dynptr: { ret: R.void, args: [A.releaseRingbufDynptr, A.any] },
  ringbuf_discard_dynptr: { ret: R.void, args: [A.releaseRingbufDynptr, A.any] },
  dynptr_read: { ret: R.int, args: [A.out, A.sizeOrZero, A.dynptr, A.any, A.any] },
  dynptr_write: { ret: R.int, args: [A.dynptr, A.any, A.mem, A.sizeOrZero, A.any] },
  dynptr_data: { ret: R.memOrNull, args: [A.dynptr, A.any, A.allocSize] },
  user_ringbuf_drain: { ret: R.int, args: [A.map, A.func, A.stackOrNull, A.any] },
} satisfies ProtoTable;
