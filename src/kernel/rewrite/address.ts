// Kernel addresses that rewritten programs carry.
import type { KernelImage } from '../image/image.ts';

/** A distance that no function has, for functions that the image does not know. */
const UNKNOWN = 0;

/** Distance of a kernel function from __bpf_call_base: what `imm` of a call holds. */
export function callDistance(image: KernelImage, name: string): number {
  const address = image.symbolAddress(name);
  const base = image.symbolAddress('__bpf_call_base');
  return address === undefined || base === undefined ? UNKNOWN : Number(BigInt.asIntN(32, address - base));
}

/** Where `struct bpf_prog_aux` of the program lies, as far as anybody can tell: below all maps, see map-addresses.ts. */
export const PROG_AUX_ADDRESS = 0xffff888004a00000n;
/** Where descriptions of allocated types (`struct btf_struct_meta`) begin. */
const STRUCT_META_BASE = 0xffff888004b00000n;
/** sizeof(struct btf_struct_meta) */
const STRUCT_META_BYTES = 16n;

/** Address of the description of an allocated type; 0 where there is none. */
export const structMetaAddress = (typeId: number | undefined): bigint =>
  typeId === undefined ? 0n : STRUCT_META_BASE + BigInt(typeId) * STRUCT_META_BYTES;
