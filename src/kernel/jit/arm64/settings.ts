// What code generation asks of an arm64 machine and of the kernel built for it.
import type { KernelImage } from '../../image/image.ts';

/** Mitigation of branch history injection at the end of classic programs. rule: build_bhb_mitigation, 6.18 */
export interface BranchHistory {
  /** The processor has the instruction for it. */
  clearInstruction: boolean;
  /** Else: turns of the loop that overwrites the history; 0: none. */
  loops: number;
  /** How the firmware is asked to help, if it has to. */
  firmware?: 'hvc' | 'smc';
}

export interface Arm64Settings {
  /** CONFIG_ARM64_BTI_KERNEL: landing pads. */
  bti: boolean;
  /** CONFIG_ARM64_PTR_AUTH_KERNEL: return addresses are signed. */
  pac: boolean;
  /** CONFIG_CFI: a word with the hash of the type stands before each function. */
  cfi: boolean;
  /** CONFIG_SHADOW_CALL_STACK, CONFIG_ARM64_SW_TTBR0_PAN: they move `cpu` in `struct thread_info`. */
  shadowCallStack: boolean;
  softwarePan: boolean;
  /** Bits of the addresses of user space: 48 or 52. */
  addressBits: number;
  /** Atomic instructions (v8.1). */
  lse: boolean;
  /** The kernel runs in EL2 and keeps the per-CPU offset there. */
  vhe: boolean;
  /** Speculation barrier instruction. */
  sb: boolean;
  branchHistory: BranchHistory;
}

/** A server processor with a kernel that GCC built: return addresses are signed, but there are no landing pads. */
export const ARM64_DEFAULTS: Arm64Settings = {
  bti: false,
  pac: true,
  cfi: false,
  shadowCallStack: false,
  softwarePan: false,
  addressBits: 48,
  lse: true,
  vhe: true,
  sb: true,
  branchHistory: { clearInstruction: true, loops: 0 },
};

/** Build options that say what the kernel of an arm64 image does. */
const OPTIONS = {
  bti: 'CONFIG_ARM64_BTI_KERNEL',
  pac: 'CONFIG_ARM64_PTR_AUTH_KERNEL',
  cfi: 'CONFIG_CFI',
  shadowCallStack: 'CONFIG_SHADOW_CALL_STACK',
  softwarePan: 'CONFIG_ARM64_SW_TTBR0_PAN',
} as const;

/**
 * What the image says of its arm64 machine; what it does not say is as its build options have it if it is of an arm64
 * kernel, and else as above.
 */
export function arm64Settings(image: KernelImage): Arm64Settings {
  const built = Object.entries(OPTIONS).map(([name, option]) => [name, image.config(option) === 'y']);
  return { ...ARM64_DEFAULTS, ...(isArm64(image) ? Object.fromEntries(built) : {}), ...image.cpu.arm64 };
}

/** Offset of `cpu` in `struct thread_info`: the image's own if that is of arm64, else by the settings. */
export function threadInfoCpu(image: KernelImage, settings: Arm64Settings): number {
  if (isArm64(image)) return image.offsetOf('thread_info', 'cpu');
  return 16 + (settings.softwarePan ? 8 : 0) + (settings.shadowCallStack ? 16 : 0);
}

/** True of images of arm64 kernels. */
export const isArm64 = (image: KernelImage): boolean => image.machine === 'aarch64';
