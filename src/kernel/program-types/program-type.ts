// What the verifier must know of a program type: which helpers it has, what its context looks like, what it may return.
import type { Btf } from '../../btf/btf.ts';
import type { HelperName, ProgTypeName } from '../../isa/uapi.ts';
import type { HelperKey } from '../helpers/index.ts';
import type { KernelImage } from '../image/image.ts';
import type { Capabilities } from '../objects.ts';
import type { AttachTarget } from '../verifier/env.ts';
import type { VerifierLog } from '../verifier/log.ts';
import { REG, type RegState, type RetvalRange } from '../verifier/types.ts';

/** The part of a verification that the rules of a program type look at; a VerifierEnv is one. */
export interface ProgramView {
  readonly image: KernelImage;
  readonly log: VerifierLog;
  readonly progType: number;
  readonly expectedAttachType: number;
  readonly sleepable: boolean;
  readonly request: { readonly caps: Capabilities; readonly attachBtfId: number };
  /** What the program hooks into; absent where only helper sets are asked for. */
  readonly attach?: AttachTarget;
  /** Facts that later stages want to know; the rules add to it. */
  readonly progFlags: Set<string>;
}

export type Access = 'read' | 'write';

/** What an access to the context gives (`struct bpf_insn_access_aux`). */
export class AccessInfo {
  /** Type of the register that a read fills. */
  regType: number = REG.SCALAR;
  /** In: the load extends the sign. */
  isLdsx: boolean;
  /** Bytes of the whole field where a narrower access is allowed, else 0. */
  ctxFieldSize = 0;
  btf: Btf | undefined = undefined;
  btfId = 0;
  refObjId = 0;
  isRetval = false;

  constructor(isLdsx: boolean) {
    this.isLdsx = isLdsx;
  }
}

/** What an access to a context is judged by. */
export type AccessArgs = [view: ProgramView, off: number, size: number, access: Access, info: AccessInfo];

export type Capability = 'bpf' | 'perfmon' | 'sysAdmin';

/** A prototype, or a choice between some; undefined: the helper is not there for this program. */
export type HelperChoice = HelperKey | ((view: ProgramView) => HelperKey | undefined);

/**
 * Part of a helper set. Layers are asked in order and the first that names a helper decides; one that needs a missing
 * capability, or whose condition fails, is passed over.
 */
export interface HelperLayer {
  readonly needs?: Capability;
  readonly when?: (view: ProgramView) => boolean;
  /** Helpers whose prototype has their own name. */
  readonly plain?: readonly (HelperName & HelperKey)[];
  /** Helpers with a prototype of another name, or with conditions. */
  readonly variants?: Readonly<Partial<Record<HelperName, HelperChoice>>>;
}

export type HelperSet = readonly HelperLayer[];

/** How far packet data may be accessed without a helper (rule: may_access_direct_pkt_data). */
export type PacketAccess = 'none' | 'read' | 'write' | 'sockopt';

/** Groups of program types that share kernel functions (`enum btf_kfunc_hook`). */
export type KfuncHook =
  | 'xdp'
  | 'tc'
  | 'struct_ops'
  | 'tracing'
  | 'syscall'
  | 'cgroup'
  | 'sched_act'
  | 'sk_skb'
  | 'socket_filter'
  | 'lwt'
  | 'netfilter'
  | 'kprobe';

export interface ProgramType {
  readonly name: ProgTypeName;
  /** Empty: the type has no helpers at all. */
  readonly helpers: HelperSet;
  /** May this access to the context be made? Fills `info`; may note facts in view.progFlags. */
  isValidAccess(...access: AccessArgs): boolean;
  /** True where accesses to the context are rewritten, so that helpers cannot take it as memory. */
  readonly convertsContext: boolean;
  readonly packet: PacketAccess;
  /** LD_ABS and LD_IND are allowed. */
  readonly loadsFromSkb?: boolean;
  readonly kfuncHook?: KfuncHook;
  /** Judges a store into a kernel structure; absent: none may be written. 0 or a negative errno with a message. */
  structWrite?(view: ProgramView, reg: RegState, off: number, size: number): number;
  /** Values that the main program may return; undefined: any. */
  returnRange?(view: ProgramView): RetvalRange | undefined;
}
