// BTF of the running kernel and of its modules, as the loader needs it.
import { Btf, BtfError } from '../btf/btf.ts';
import { BTF_KIND } from '../btf/kinds.ts';
import { ERRNO, SysError } from '../errno.ts';
import { ATTACH_TYPE } from '../isa/uapi.ts';
import type { Kernel } from '../syscall.ts';
import { errstr, ObjectError } from './errors.ts';
import type { Features } from './features.ts';
import type { Messages } from './print.ts';

const VMLINUX = '/sys/kernel/btf/vmlinux';

/** BTF of a module, open while an object is loaded. */
export interface ModuleBtf {
  btf: Btf;
  name: string;
  id: number;
  fd: number;
  /** Place in the program's table of descriptors; 0 while it has none. */
  fdArrayIndex: number;
}

/** Parsed once per kernel: it is large and does not change. */
const parsed = new WeakMap<Kernel, Btf>();

/** vmlinux BTF of a kernel; undefined when it has none or an unreadable one. */
export function vmlinuxBtf(kernel: Kernel): Btf | undefined {
  let btf = parsed.get(kernel);
  if (btf) return btf;
  const bytes = kernel.readFile(VMLINUX);
  if (!bytes) return undefined;
  try {
    btf = Btf.parse(bytes);
  } catch (error) {
    if (error instanceof BtfError) return undefined;
    throw error;
  }
  parsed.set(kernel, btf);
  return btf;
}

/** The kernel's types during one load. */
export class KernelBtf {
  private readonly kernel: Kernel;
  private readonly messages: Messages;
  private readonly features: Pick<Features, 'supports'>;
  private vmlinuxFound: Btf | undefined;
  private modulesFound: ModuleBtf[] | undefined;

  constructor(kernel: Kernel, messages: Messages, features: Pick<Features, 'supports'>) {
    this.kernel = kernel;
    this.messages = messages;
    this.features = features;
  }

  /** Reads vmlinux BTF; throws ObjectError. */
  load(): void {
    if (this.vmlinuxFound) return;
    const btf = vmlinuxBtf(this.kernel);
    if (!btf) {
      this.messages.warn(`kernel BTF is missing at '${VMLINUX}', was CONFIG_DEBUG_INFO_BTF enabled?`);
      this.messages.warn('failed to find valid kernel BTF');
      this.messages.warn(`Error loading vmlinux BTF: ${errstr(ERRNO.ESRCH)}`);
      throw new ObjectError('ESRCH');
    }
    this.messages.debug(() => `loaded kernel BTF from '${VMLINUX}'`);
    this.vmlinuxFound = btf;
  }

  /** vmlinux BTF; `load` must have been called. */
  get vmlinux(): Btf {
    if (!this.vmlinuxFound) throw new ObjectError('ESRCH', 'kernel BTF was not loaded');
    return this.vmlinuxFound;
  }

  /** BTF of the modules, in the order of their ids; throws ObjectError. */
  modules(): ModuleBtf[] {
    if (this.modulesFound) return this.modulesFound;
    const found: ModuleBtf[] = [];
    this.modulesFound = found;
    if (!this.features.supports('MODULE_BTF')) return found;
    for (let id = 0; ; ) {
      try {
        id = this.kernel.nextId('btf', id);
      } catch (error) {
        const errno = errnoOf(error);
        if (errno === ERRNO.ENOENT) return found;
        if (errno === ERRNO.EPERM) {
          this.messages.debug(() => 'skipping module BTFs loading, missing privileges');
          return found;
        }
        this.messages.warn(`failed to iterate BTF objects: ${errstr(errno)}`);
        throw new ObjectError(errno);
      }
      const module = this.openModule(id);
      if (module) found.push(module);
    }
  }

  private openModule(id: number): ModuleBtf | undefined {
    let fd: number;
    try {
      fd = this.kernel.fdById('btf', id);
    } catch (error) {
      const errno = errnoOf(error);
      if (errno === ERRNO.ENOENT) return undefined;
      this.messages.warn(`failed to get BTF object #${id} FD: ${errstr(errno)}`);
      throw new ObjectError(errno);
    }
    const info = this.kernel.btfInfo(fd);
    if (!info.kernelBtf || info.name === 'vmlinux') {
      this.kernel.close(fd);
      return undefined;
    }
    try {
      const btf = Btf.parse(info.bytes, this.vmlinux);
      return { btf, name: info.name, id, fd, fdArrayIndex: 0 };
    } catch (error) {
      if (!(error instanceof BtfError)) throw error;
      this.messages.warn(`failed to load module [${info.name}]'s BTF object #${id}: ${errstr(ERRNO.EINVAL)}`);
      this.kernel.close(fd);
      throw new ObjectError('EINVAL');
    }
  }

  /** A variable or function of the kernel, vmlinux first; undefined when there is none of that name. */
  find(name: string, kind: number): { btf: Btf; id: number; module: ModuleBtf | undefined } | undefined {
    const id = this.vmlinux.find(name, kind);
    if (id) return { btf: this.vmlinux, id, module: undefined };
    for (const module of this.modules()) {
      const own = module.btf.findAll(name).find((i) => i >= module.btf.firstId && module.btf.kind(i) === kind);
      if (own) return { btf: module.btf, id: own, module };
    }
    return undefined;
  }

  /**
   * What a program attaches to, by the name behind its section's slash ("fn" or "module:fn") and the prefix and kind
   * that its attach type asks for. Throws ObjectError ESRCH.
   */
  findAttachTarget(target: string, prefix: string, kind: number): { objFd: number; id: number } {
    const colon = target.indexOf(':');
    const module = colon < 0 ? undefined : target.slice(0, colon);
    const name = prefix + (colon < 0 ? target : target.slice(colon + 1));
    if (name.length >= 128) throw new ObjectError('ENAMETOOLONG');
    if (module === undefined || 'vmlinux'.startsWith(module)) {
      const id = this.vmlinux.find(name, kind);
      if (id) return { objFd: 0, id };
    }
    for (const m of this.modules()) {
      if (module !== undefined && !m.name.startsWith(module)) continue;
      const id = m.btf.find(name, kind);
      if (id) return { objFd: m.fd, id };
    }
    throw new ObjectError('ESRCH');
  }

  /** Drops the descriptors of modules. */
  close(): void {
    for (const { fd } of this.modulesFound ?? []) this.kernel.close(fd);
    this.modulesFound = undefined;
  }
}

/** Prefix and kind of the kernel's BTF type for an attach type. Rule: libbpf 1.8. */
export function attachPrefix(attachType: number): [prefix: string, kind: number] {
  switch (attachType) {
    case ATTACH_TYPE.trace_raw_tp:
      return ['btf_trace_', BTF_KIND.TYPEDEF];
    case ATTACH_TYPE.lsm_mac:
    case ATTACH_TYPE.lsm_cgroup:
      return ['bpf_lsm_', BTF_KIND.FUNC];
    case ATTACH_TYPE.trace_iter:
      return ['bpf_iter_', BTF_KIND.FUNC];
    default:
      return ['', BTF_KIND.FUNC];
  }
}

/** The errno of a system call's failure; anything else goes on upwards. */
export function errnoOf(error: unknown): number {
  if (error instanceof SysError) return error.errno;
  throw error;
}
