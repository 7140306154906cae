// Helpers about time, tasks, CPUs and control flow; locks and timers, of which one machine needs little.
import { ERRNO } from '../../../errno.ts';
import type { HelperFn } from '../machine.ts';
import { functionAt, type HelperTable } from '../program.ts';

const now: HelperFn = (m) => m.now();
const nothing: HelperFn = () => 0n;

/** rule: BPF_MAX_LOOPS, 6.18 */
const MAX_LOOPS = 8 * 1024 * 1024;

/** What programs are told of the task they run in. */
export interface TaskFacts {
  pid: number;
  tgid: number;
  uid: number;
  gid: number;
  comm: string;
  cgroupId: bigint;
  /** Address of its struct task_struct. */
  address: bigint;
}

/** Key of the task in Machine.state. */
export const TASK: unique symbol = Symbol('task');

const NOBODY: TaskFacts = { pid: 1, tgid: 1, uid: 0, gid: 0, comm: 'bpf', cgroupId: 1n, address: 0n };
const task = (m: { state: Map<unknown, unknown> }): TaskFacts => (m.state.get(TASK) as TaskFacts | undefined) ?? NOBODY;
const pair = (high: number, low: number): bigint => (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);

/** rule: bpf_loop, loop.c, 6.18 */
const loop: HelperFn = (m, r1, r2, r3, r4) => {
  if (r4 !== 0n) return BigInt(-ERRNO.EINVAL);
  const rounds = Number(BigInt.asUintN(32, r1));
  if (rounds > MAX_LOOPS) return BigInt(-ERRNO.E2BIG);
  const start = functionAt(r2);
  for (let i = 0; i < rounds; i++) {
    if (m.call(start, [BigInt(i), r3]) !== 0n) return BigInt(i + 1);
  }
  return BigInt(rounds);
};

const comm: HelperFn = (m, r1, r2) => {
  const size = Number(BigInt.asUintN(32, r2));
  const out = m.memory.bytesAt(r1, size, true);
  out.fill(0);
  out.set(new TextEncoder().encode(task(m).comm).subarray(0, Math.max(0, size - 1)));
  return 0n;
};

export const SYSTEM_HELPERS: HelperTable = {
  ktime_get_ns: now,
  ktime_get_boot_ns: now,
  ktime_get_coarse_ns: now,
  ktime_get_tai_ns: now,
  jiffies64: (m) => m.now() / 4_000_000n,
  get_prandom_u32: (m) => m.random.next() & 0xffffffffn,
  get_smp_processor_id: (m) => BigInt(m.cpu),
  get_numa_node_id: nothing,
  get_current_pid_tgid: (m) => pair(task(m).tgid, task(m).pid),
  get_current_uid_gid: (m) => pair(task(m).gid, task(m).uid),
  get_current_comm: comm,
  get_current_cgroup_id: (m) => task(m).cgroupId,
  get_current_task: (m) => task(m).address,
  get_current_task_btf: (m) => task(m).address,
  loop,
  spin_lock: nothing,
  spin_unlock: nothing,
  timer_init: nothing,
  timer_set_callback: nothing,
  timer_start: nothing,
  timer_cancel: nothing,
  tail_call: nothing,
  user_ringbuf_drain: nothing,
};
