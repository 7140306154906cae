// Kernel functions that programs call by their BTF: those that a machine of one CPU can do by itself.
import { ERRNO } from '../../errno.ts';
import type { Insn } from '../../isa/insn.ts';
import { CALL_KIND } from '../../isa/opcode.ts';
import type { KernelImage } from '../image/image.ts';
import type { HelperFn } from './machine.ts';
import type { KfuncTable } from './program.ts';

const nothing: HelperFn = () => 0n;
const s32 = (r: bigint): bigint => BigInt.asIntN(32, r);
/** rule: BPF_MAX_LOOPS, 6.18 */
const MAX_LOOPS = 8n * 1024n * 1024n;

/** An iterator holds the number before the next one and the end. rule: bpf_iter_num_new, 6.18 */
const newNumbers: HelperFn = (m, r1, r2, r3) => {
  const [start, end] = [s32(r2), s32(r3)];
  const bad = start > end ? -ERRNO.EINVAL : end - start > MAX_LOOPS ? -ERRNO.E2BIG : 0;
  m.memory.write(r1, 4, bad === 0 ? start - 1n : 0n);
  m.memory.write(r1 + 4n, 4, bad === 0 ? end : 0n);
  return BigInt(bad);
};

/** Address of the number, which is that of the iterator; 0 at the end. */
const nextNumber: HelperFn = (m, r1) => {
  const next = s32(m.memory.read(r1, 4)) + 1n;
  const more = next < s32(m.memory.read(r1 + 4n, 4));
  m.memory.write(r1, 4, more ? next : 0n);
  if (!more) m.memory.write(r1 + 4n, 4, 0n);
  return more ? r1 : 0n;
};

const endNumbers: HelperFn = (m, r1) => {
  m.memory.write(r1, 8, 0n);
  return 0n;
};

export const KFUNCS: KfuncTable = {
  bpf_iter_num_new: newNumbers,
  bpf_iter_num_next: nextNumber,
  bpf_iter_num_destroy: endNumbers,
  bpf_rcu_read_lock: nothing,
  bpf_rcu_read_unlock: nothing,
  bpf_preempt_disable: nothing,
  bpf_preempt_enable: nothing,
  bpf_local_irq_save: nothing,
  bpf_local_irq_restore: nothing,
  bpf_res_spin_lock: nothing,
  bpf_res_spin_unlock: nothing,
  bpf_res_spin_lock_irqsave: nothing,
  bpf_res_spin_unlock_irqrestore: nothing,
};

/** What the call of a kernel function in a program as it was loaded leads to; undefined where that is not known. */
export function kfuncOf(image: KernelImage, insn: Insn, table: KfuncTable = KFUNCS): HelperFn | undefined {
  if (insn.src !== CALL_KIND.KFUNC || insn.off !== 0) return undefined;
  const btf = image.btf();
  if (insn.imm <= 0 || insn.imm >= btf.count) return undefined;
  const name = btf.name(insn.imm);
  return Object.hasOwn(table, name) ? table[name] : undefined;
}
