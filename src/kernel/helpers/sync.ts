// Locks, timers, loops, kptrs and per-CPU pointers: prototypes of the helper functions, by helper number; variants stand beside their kind.
import { A, type ProtoTable, R } from '../verifier/helper-proto.ts';

export const SYNC_HELPERS = {
  spin_lock: { ret: R.void, args: [A.spinLock] },
  spin_unlock: { ret: R.void, args: [A.spinLock] },
  per_cpu_ptr: { ret: R.percpuOrNull, args: [A.percpuBtf, A.any] },
  this_cpu_ptr: { ret: R.percpu, args: [A.percpuBtf] },
  timer_init: { ret: R.int, args: [A.timer, A.map, A.any], gpl: true },
  timer_set_callback: { ret: R.int, args: [A.timer, A.func], gpl: true },
  timer_start: { ret: R.int, args: [A.timer, A.any, A.any], gpl: true },
  timer_cancel: { ret: R.int, args: [A.timer], gpl: true },
  loop: { ret: R.int, args: [A.any, A.func, A.stackOrNull, A.any] },
  kptr_xchg: { ret: R.kptrOrNull, args: [A.kptrDest, A.kptrToPut] },
} satisfies ProtoTable;
