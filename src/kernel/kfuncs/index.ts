// Which kernel functions a program may call, and their flags. The functions themselves, their prototypes and whether
// there is one of that name at all come from the image's BTF.
import { programType } from '../program-types/index.ts';
import type { ProgramView } from '../program-types/program-type.ts';
import { CONGESTION_KFUNCS } from './congestion.ts';
import { CPUMASK_KFUNCS } from './cpumask.ts';
import { CRYPTO_INIT_KFUNCS, CRYPTO_KFUNCS } from './crypto.ts';
import { DYNPTR_KFUNCS } from './dynptrs.ts';
import { FILE_KFUNCS } from './files.ts';
import { GRAPH_KFUNCS } from './graph.ts';
import { ITERATOR_KFUNCS } from './iterators.ts';
import type { KfuncSet } from './kfunc-set.ts';
import {
  CONNTRACK_KFUNCS,
  SKB_KFUNCS,
  SKB_META_KFUNCS,
  SOCK_ADDR_KFUNCS,
  SOCK_ITER_KFUNCS,
  TCP_REQSK_KFUNCS,
  XDP_KFUNCS,
  XFRM_KFUNCS,
} from './network.ts';
import { SESSION_KFUNCS, TEST_KFUNCS } from './probes.ts';
import { ARENA_KFUNCS, COMMON_KFUNCS, RES_LOCK_KFUNCS } from './sections.ts';
import { STRING_KFUNCS } from './strings.ts';
import { RSTAT_KFUNCS, SIGNATURE_KFUNCS, TASK_KFUNCS } from './tasks.ts';

export { KF } from './kfunc-set.ts';

/** All sets. */
export const KFUNC_SETS: readonly KfuncSet[] = [
  COMMON_KFUNCS,
  ITERATOR_KFUNCS,
  DYNPTR_KFUNCS,
  STRING_KFUNCS,
  RES_LOCK_KFUNCS,
  ARENA_KFUNCS,
  GRAPH_KFUNCS,
  TASK_KFUNCS,
  SIGNATURE_KFUNCS,
  RSTAT_KFUNCS,
  CPUMASK_KFUNCS,
  CRYPTO_INIT_KFUNCS,
  CRYPTO_KFUNCS,
  FILE_KFUNCS,
  SKB_KFUNCS,
  SKB_META_KFUNCS,
  XDP_KFUNCS,
  SOCK_ADDR_KFUNCS,
  TCP_REQSK_KFUNCS,
  SOCK_ITER_KFUNCS,
  CONNTRACK_KFUNCS,
  XFRM_KFUNCS,
  CONGESTION_KFUNCS,
  SESSION_KFUNCS,
  TEST_KFUNCS,
];

/** KF bits of the kernel function `name` for this program; undefined: the program may not call it. */
export function kfuncFlags(view: ProgramView, name: string): number | undefined {
  const hook = programType(view.progType).kfuncHook;
  for (const set of KFUNC_SETS) {
    const mine = set.hooks.includes('common') || (hook !== undefined && set.hooks.includes(hook));
    if (!mine || !Object.hasOwn(set.flags, name)) continue;
    if (set.when === undefined || set.when(view)) return set.flags[name];
  }
  return undefined;
}
