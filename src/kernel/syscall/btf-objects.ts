// BTF objects: loading, reading, and their parsed form.
import { Btf, BtfError } from '../../btf/btf.ts';
import { SysError } from '../../errno.ts';
import type { BtfInfo, BtfLoadAttr } from '../../syscall.ts';
import { bytesOf } from '../maps/record.ts';
import type { KBtf } from '../objects.ts';
import { damaged } from '../store/state-error.ts';
import { checkLogRequest, checkToken, clearLog } from './attr.ts';
import { checkBtf } from './btf-check/check.ts';
import type { KernelContext } from './context.ts';

/** The first BTF object of every kernel. */
export const VMLINUX_BTF = 1;

export class BtfObjects {
  private readonly context: KernelContext;
  private readonly parsed = new Map<number, Btf>();

  constructor(context: KernelContext) {
    this.context = context;
  }

  /** By id; ENOENT where there is none. */
  byId(id: number): KBtf {
    const row = this.context.objects.row('btf', id);
    if (!row) throw new SysError('ENOENT');
    const kernel = Number(row.kernel) !== 0;
    return { id, kernel, name: String(row.name), btf: kernel ? this.context.image.btf() : this.parse(id, row.bytes) };
  }

  private parse(id: number, bytes: unknown): Btf {
    let btf = this.parsed.get(id);
    if (!btf) {
      btf = parseStored(id, bytesOf(bytes));
      this.parsed.set(id, btf);
    }
    return btf;
  }

  /** Behind a descriptor; EBADF or EINVAL. */
  byFd(fd: number): KBtf {
    return this.byId(this.context.fds.get(fd, 'btf').id);
  }

  load(attr: BtfLoadAttr): number {
    clearLog(attr.log);
    if (attr.tokenFd) checkToken(attr.tokenFd);
    if (!this.context.caps.bpf) throw new SysError('EPERM');
    checkLogRequest(attr.log);
    const btf = checkBtf(attr.bytes, attr.log, () => this.context.image.btf());
    const { db } = this.context;
    return db.write(() => {
      const id = db.next('btf');
      db.run("INSERT INTO btf VALUES (?, '', 0, ?)", id, attr.bytes);
      this.parsed.set(id, btf);
      return this.context.open({ kind: 'btf', id });
    });
  }

  info(fd: number): BtfInfo {
    const row = this.context.rowOf(fd, 'btf');
    const kernelBtf = Number(row.kernel) !== 0;
    const bytes = kernelBtf ? this.context.image.btfBytes() : bytesOf(row.bytes);
    return { id: Number(row.id), name: String(row.name), kernelBtf, size: bytes.length, bytes };
  }
}

/** BTF was checked before it was stored. */
function parseStored(id: number, bytes: Uint8Array): Btf {
  try {
    return Btf.parse(bytes);
  } catch (e) {
    throw e instanceof BtfError ? damaged(`BTF ${id}`) : e;
  }
}
