// The kernel's own view of the objects that a program can refer to, shared by the verifier, the rewriter and the maps.
import type { Btf } from '../btf/btf.ts';

/** Special fields that a map value or an allocated object may hold (`enum btf_field_type`). */
export type SpecialFieldKind =
  | 'bpf_spin_lock'
  | 'bpf_res_spin_lock'
  | 'bpf_timer'
  | 'bpf_wq'
  | 'bpf_task_work'
  | 'bpf_refcount'
  | 'kptr_unref'
  | 'kptr_ref'
  | 'kptr_percpu'
  | 'uptr'
  | 'bpf_list_head'
  | 'bpf_list_node'
  | 'bpf_rb_root'
  | 'bpf_rb_node';

export interface SpecialField {
  kind: SpecialFieldKind;
  offset: number;
  size: number;
  /** kptr, uptr, list head, rb root: the BTF and type id pointed to; list and rb: offset of the node in that type. */
  btf?: Btf;
  btfId?: number;
  nodeOffset?: number;
}

/** `struct btf_record`: the special fields of a type in ascending offset. */
export interface SpecialRecord {
  fields: SpecialField[];
}

/** A BTF object that the kernel holds. */
export interface KBtf {
  readonly id: number;
  readonly btf: Btf;
  /** True of vmlinux and module BTF. */
  readonly kernel: boolean;
  readonly name: string;
}

/** A map as the verifier, the rewriter and the emitter see it. */
export interface KMap {
  readonly id: number;
  /** Number of its type (`enum bpf_map_type`). */
  readonly type: number;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly flags: number;
  readonly mapExtra: bigint;
  readonly name: string;
  readonly btf: KBtf | undefined;
  readonly btfKeyTypeId: number;
  readonly btfValueTypeId: number;
  readonly btfVmlinuxValueTypeId: number;
  /** Special fields of the value. */
  readonly record: SpecialRecord | undefined;
  /** Template of a map in map. */
  readonly innerMap: KMap | undefined;
  readonly frozen: boolean;
  /** Made without CAP_PERFMON: array accesses are masked. */
  readonly bypassSpecV1: boolean;
  /** Simulated address of `struct bpf_map`. */
  readonly address: bigint;
  /** Simulated address of the first value byte, for maps with direct value access (array, arena…); else undefined. */
  readonly valueAddress: bigint | undefined;
  /** Bytes of the value area of a frozen read-only array, for constant folding of loads; undefined otherwise. */
  constantBytes(offset: number, size: number): Uint8Array | undefined;
  /** Prog array: address of the machine code of the program in a slot; undefined for an empty slot. */
  programAt?(key: number): bigint | undefined;
}

/** A function of a loaded program as programs that hook into it see it. */
export interface HookableFunction {
  /** FUNC in the BTF of its program. */
  readonly typeId: number;
  /** Its prototype and its code disagree, or nobody has compared them. */
  readonly unreliable: boolean;
  readonly exceptionCallback: boolean;
  readonly changesPacket: boolean;
  readonly mightSleep: boolean;
}

/** A loaded program that another one hooks into. */
export interface KProgram {
  readonly type: number;
  readonly expectedAttachType: number;
  readonly btf: KBtf | undefined;
  /** It traces a tracing program. */
  readonly tracesTracing: boolean;
  /** Type of the program that it replaces a function of; undefined where it replaces none. */
  readonly replacedType: number | undefined;
  /** Functions that have records, in order. */
  readonly functions: readonly HookableFunction[];
}

/** Which capabilities the loading task has. */
export interface Capabilities {
  bpf: boolean;
  perfmon: boolean;
  netAdmin: boolean;
  sysAdmin: boolean;
}

export const ALL_CAPABILITIES: Capabilities = { bpf: true, perfmon: true, netAdmin: true, sysAdmin: true };
