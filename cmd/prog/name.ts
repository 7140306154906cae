// The name that bpftool shows for a program.
import { BTF_KIND, Btf } from '../../src/btf/btf.ts';
import type { Kernel, ProgInfo } from '../../src/syscall.ts';

/** bpf_prog_info.name holds this many characters; longer names are looked up in the program's BTF. */
const KERNEL_NAME_CHARS = 15;

/** BTF of a program or map, undefined where it has none. */
export function btfById(kernel: Kernel, id: number): Btf | undefined {
  if (id === 0) return undefined;
  const fd = kernel.fdById('btf', id);
  try {
    return Btf.parse(kernel.btfInfo(fd).bytes);
  } finally {
    kernel.close(fd);
  }
}

/** The kernel's name, or the full name of the first function where that name was cut. */
export function programName(kernel: Kernel, info: ProgInfo): string {
  if (info.name.length < KERNEL_NAME_CHARS || !info.btfId || !info.funcInfo || info.funcInfo.bytes.length < 8) {
    return info.name;
  }
  const btf = btfById(kernel, info.btfId);
  const { bytes } = info.funcInfo;
  const typeId = new DataView(bytes.buffer, bytes.byteOffset).getUint32(4, true);
  if (!btf || typeId >= btf.count || btf.kind(typeId) !== BTF_KIND.FUNC) return info.name;
  return btf.name(typeId);
}
