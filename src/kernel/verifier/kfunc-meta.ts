// What is gathered from the arguments of one call of a kernel function.
import type { Btf } from '../../btf/btf.ts';
import { KF } from '../kfuncs/index.ts';
import type { KMap, SpecialField } from '../objects.ts';
import type { KfuncFacts } from './kfunc-facts.ts';

/** `struct bpf_kfunc_call_arg_meta`. */
export class KfuncMeta {
  readonly facts: KfuncFacts;
  refObjId = 0;
  /** Register of the argument that the call releases; 0: none. */
  releaseRegno = 0;
  /** The memory behind the returned pointer. */
  r0Rdonly = false;
  r0Size = 0;
  retBtfId = 0;
  subprogno = 0;
  argConstant: bigint | undefined = undefined;
  /** Type of the object in an argument. */
  argBtf: Btf | undefined = undefined;
  argBtfId = 0;
  argOwningRef = false;
  argProg = false;
  listHead: SpecialField | undefined = undefined;
  rbRoot: SpecialField | undefined = undefined;
  dynptr: { type: number; id: number; refObjId: number } = { type: 0, id: 0, refObjId: 0 };
  iter: { spi: number; frameno: number } = { spi: 0, frameno: 0 };
  map: KMap | undefined = undefined;
  mapUid = 0;

  constructor(facts: KfuncFacts) {
    this.facts = facts;
  }

  has(flags: number): boolean {
    return (this.facts.flags & flags) !== 0;
  }

  get releases(): boolean {
    return this.has(KF.RELEASE);
  }

  /** Pointers must be to objects that cannot go away. */
  get wantsTrusted(): boolean {
    return this.has(KF.TRUSTED_ARGS | KF.RELEASE);
  }

  /** The result may be NULL; not that of refcount_acquire on an object that is owned anyway. */
  get returnsNull(): boolean {
    if (this.facts.special === 'bpf_refcount_acquire_impl' && this.argOwningRef) return false;
    return this.has(KF.RET_NULL);
  }
}
