// What makes a simulated kernel a particular kernel. Everything here is data captured from a running one; logic in
// the other rooms asks the image and never holds such a constant itself.
import type { Btf } from '../../btf/btf.ts';
import type { Arm64Settings } from '../jit/arm64/settings.ts';

/** CPU features and mitigations that the x86-64 emitter and the inliner ask for. */
export interface CpuSettings {
  bmi2: boolean;
  /** 'none': plain indirect jumps; 'generic' and 'amd': through a retpoline or lfence. */
  retpoline: 'none' | 'generic' | 'amd';
  /** Symbol that `ret` is replaced by a jump to, or undefined for a plain `ret`. */
  returnThunk: string | undefined;
  /** Straight-line speculation: int3 after ret and indirect jumps. */
  sls: boolean;
  /** endbr64 at entries. */
  ibt: boolean;
  callDepthTracking: boolean;
  /** Indirect target selection thunks. */
  its: boolean;
  /** Branch history injection clearing for classic BPF. */
  clearBhb: boolean;
  /** Branch history fence instruction for classic BPF; unset: no. */
  ibhf?: boolean;
  /** Five-level page tables: user addresses of 56 bits; unset: 47. */
  la57?: boolean;
  /** Of an arm64 machine; what is not given is as ARM64_DEFAULTS has it. */
  arm64?: Partial<Arm64Settings>;
}

export interface KernelImage {
  /** uname -r, -v and -m. */
  readonly release: string;
  readonly version: string;
  readonly machine: string;
  readonly pageSize: number;
  readonly possibleCpus: number;
  readonly hz: number;
  readonly cpu: CpuSettings;
  /** vmlinux BTF; parsed at the first call. */
  btf(): Btf;
  btfBytes(): Uint8Array;
  /** Address of a kernel function or of one of the few data symbols that Linux inlines; undefined if unknown. */
  symbolAddress(name: string): bigint | undefined;
  /** Function at exactly this address, as /proc/kallsyms names it. */
  symbolAt(address: bigint): string | undefined;
  /** Value of CONFIG_… as /proc/config.gz shows it ("y", "250", "\"text\""), undefined where not set. */
  config(name: string): string | undefined;
  /** Value of a file under /proc/sys, such as "net/core/bpf_jit_harden", without its newline. */
  sysctl(path: string): string | undefined;
  /** Byte offset of a (nested, dot-separated) member of a kernel struct; throws if the image has none. */
  offsetOf(struct: string, member: string): number;
  /** Bytes of a named struct, union or typedef of the image. */
  sizeOf(type: string): number;
}
