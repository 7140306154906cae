// Arrays of programs belong to the first program that uses them or lies in them: which others they take then.
import { BTF_KIND } from '../../src/btf/btf.ts';
import { encodeInsns } from '../../src/isa/insn.ts';
import { ATTACH_TYPE, HELPER, MAP_TYPE, PROG_TYPE } from '../../src/isa/uapi.ts';
import { vmlinuxBtf } from '../../src/object/kernel-btf.ts';
import type { Kernel, ProgLoadAttr } from '../../src/syscall.ts';
import { type Answer, ask, u32 } from './answer.ts';
import { call, EXIT, mapFd, movImm, nothing } from './programs.ts';

const KEEP_CONTEXT = { code: 0xbf, dst: 6, src: 1, off: 0, imm: 0 };
const CONTEXT = { code: 0xbf, dst: 1, src: 6, off: 0, imm: 0 };

/** Uses storages of control groups, and jumps through an array. */
const user = (storages: readonly number[], array?: number): ProgLoadAttr => ({
  ...nothing('cgroup_skb'),
  insns: encodeInsns([
    KEEP_CONTEXT,
    ...storages.flatMap((fd) => [...mapFd(1, fd), movImm(2, 0), call(HELPER.get_local_storage)]),
    ...(array === undefined ? [] : [CONTEXT, ...mapFd(2, array), movImm(3, 0), call(HELPER.tail_call)]),
    movImm(0, 0),
    EXIT,
  ]),
});

export function* askMapOwner(kernel: Kernel): Generator<Answer> {
  const array = (): number => kernel.mapCreate({ type: MAP_TYPE.prog_array, keySize: 4, valueSize: 4, maxEntries: 2 });
  const storage = (type: 'cgroup_storage' | 'percpu_cgroup_storage'): number =>
    kernel.mapCreate({ type: MAP_TYPE[type], keySize: 16, valueSize: 8, maxEntries: 0 });
  const shared = [storage('cgroup_storage'), storage('cgroup_storage')];
  const perCpu = storage('percpu_cgroup_storage');
  const sets: Readonly<Record<string, readonly number[]>> = {
    none: [],
    first: [shared[0]],
    second: [shared[1]],
    perCpu: [perCpu],
    both: [shared[0], perCpu],
  };
  const tried = (attempt: () => void): number | string =>
    ask(() => {
      attempt();
      return undefined;
    });
  for (const [owner, own] of Object.entries(sets)) {
    const jumps = array();
    yield { what: `owner uses ${owner}`, answer: tried(() => kernel.progLoad(user(own, jumps))) };
    for (const [other, theirs] of Object.entries(sets)) {
      const what = `${other} beside ${owner}`;
      yield { what: `${what}: jumps`, answer: tried(() => kernel.progLoad(user(theirs, jumps))) };
      const target = kernel.progLoad(user(theirs));
      yield { what: `${what}: target`, answer: tried(() => kernel.mapUpdate(jumps, u32(0), u32(target))) };
      const further = kernel.progLoad(user(theirs, array()));
      yield { what: `${what}: target that jumps`, answer: tried(() => kernel.mapUpdate(jumps, u32(1), u32(further))) };
    }
  }
  const btf = vmlinuxBtf(kernel);
  if (!btf) return;
  const hooked = (event: string, insns: Uint8Array): ProgLoadAttr => ({
    ...nothing('tracing'),
    type: PROG_TYPE.tracing,
    insns,
    expectedAttachType: ATTACH_TYPE.trace_raw_tp,
    attachBtfId: btf.find(`btf_trace_${event}`, BTF_KIND.TYPEDEF),
  });
  const plain = encodeInsns([movImm(0, 0), EXIT]);
  const jumps = array();
  const jumping = encodeInsns([...mapFd(2, jumps), movImm(3, 0), call(HELPER.tail_call), movImm(0, 0), EXIT]);
  yield { what: 'owner hooks task_newtask', answer: tried(() => kernel.progLoad(hooked('task_newtask', jumping))) };
  for (const event of ['task_newtask', 'sys_enter', 'sched_switch', 'sched_wakeup', 'sched_waking']) {
    yield { what: `${event}: jumps`, answer: tried(() => kernel.progLoad(hooked(event, jumping))) };
    const target = kernel.progLoad(hooked(event, plain));
    yield { what: `${event}: target`, answer: tried(() => kernel.mapUpdate(jumps, u32(0), u32(target))) };
  }
}
