// Sets of kernel functions that programs may call.
import type { KfuncHook, ProgramView } from '../program-types/program-type.ts';

/** What a kernel function promises and demands (`KF_…`). */
export const KF = {
  ACQUIRE: 1 << 0,
  RELEASE: 1 << 1,
  RET_NULL: 1 << 2,
  TRUSTED_ARGS: 1 << 4,
  SLEEPABLE: 1 << 5,
  DESTRUCTIVE: 1 << 6,
  RCU: 1 << 7,
  ITER_NEW: 1 << 8,
  ITER_NEXT: 1 << 9,
  ITER_DESTROY: 1 << 10,
  RCU_PROTECTED: 1 << 11,
  FASTCALL: 1 << 12,
  ARENA_RET: 1 << 13,
  ARENA_ARG1: 1 << 14,
  ARENA_ARG2: 1 << 15,
} as const;

export interface KfuncSet {
  /** Groups of program types that may call them; 'common': all. */
  readonly hooks: readonly ('common' | KfuncHook)[];
  /** Further condition on the program. */
  readonly when?: (view: ProgramView) => boolean;
  /** KF bits by name of the function. */
  readonly flags: Readonly<Record<string, number>>;
}
