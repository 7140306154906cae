// A kernel of which nothing but the requests to its verifier remains: programs come out as those requests, maps exist on
// paper only.
import { Btf } from '../../src/btf/btf.ts';
import { SysError } from '../../src/errno.ts';
import { decodeInsns } from '../../src/isa/insn.ts';
import { MAP_TYPE } from '../../src/isa/uapi.ts';
import type { LoadedImage } from '../../src/kernel/image/load.ts';
import { ALL_CAPABILITIES, type KBtf, type KMap } from '../../src/kernel/objects.ts';
import { attachTypeOf, isGplCompatible } from '../../src/kernel/syscall/prog-attr.ts';
import type { VerifyRequest } from '../../src/kernel/verifier/env.ts';
import { VerifierLog } from '../../src/kernel/verifier/log.ts';
import { parseSpecialRecord, structMetas } from '../../src/kernel/verifier/special-fields.ts';
import { RecordingKernel } from '../../src/object/recording-kernel.ts';
import type { BtfLoadAttr, MapCreateAttr, ProgLoadAttr } from '../../src/syscall.ts';

const MAP_BASE = 0xffff888100000000n;
/** Room for struct bpf_array and small values. */
const MAP_STRIDE = 0x1000_0000n;
const RDONLY_PROG = 1 << 7;
const VMLINUX_ID = 1;
/** Features that the loader asks for and that do not matter here. */
const FILES = ['/sys/kernel/btf/vmlinux', '/proc/kallsyms', '/proc/config.gz'];

export class PaperKernel extends RecordingKernel {
  /** Requests of the programs that were loaded, by descriptor; the loader also loads some to see what it can do. */
  readonly requests: Map<number, VerifyRequest> = new Map();
  private readonly image: LoadedImage;
  private readonly types = new Map<number, KBtf>();
  private readonly made = new Map<number, KMap>();

  constructor(image: LoadedImage) {
    super(
      Object.fromEntries(FILES.flatMap((path) => (image.file(path) ? [[path, image.file(path) as Uint8Array]] : []))),
    );
    this.image = image;
  }

  override btfLoad(attr: BtfLoadAttr): number {
    const fd = super.btfLoad(attr);
    const btf = Btf.parse(attr.bytes);
    structMetas(btf, this.image.btf());
    this.types.set(fd, { id: fd, btf, kernel: false, name: '' });
    return fd;
  }

  override symbolAddress(name?: string): bigint | undefined {
    return name === undefined ? undefined : this.image.symbolAddress(name);
  }

  /** What user space has stored in a map. */
  elementsOf(fd: number): [Uint8Array, Uint8Array][] {
    const contents = this.maps.find((map) => map.fd === fd)?.contents ?? new Map<string, Uint8Array>();
    return [...contents].map(([key, value]) => [Uint8Array.from(Buffer.from(key, 'hex')), value]);
  }

  mapOf(fd: number): KMap {
    return this.mapByFd(fd);
  }

  private vmlinux(): KBtf {
    return { id: VMLINUX_ID, btf: this.image.btf(), kernel: true, name: 'vmlinux' };
  }

  private btfByFd(fd: number): KBtf {
    const btf = this.types.get(fd);
    if (btf === undefined) throw new SysError('EINVAL');
    return btf;
  }

  private recordOf(attr: MapCreateAttr, btf: KBtf | undefined): KMap['record'] {
    if (btf === undefined || !attr.btfValueTypeId) return undefined;
    const record = parseSpecialRecord(btf.btf, attr.btfValueTypeId, { size: attr.valueSize, kernel: this.image.btf() });
    return typeof record === 'number' ? undefined : record;
  }

  private mapByFd(fd: number): KMap {
    const known = this.made.get(fd);
    if (known !== undefined) return known;
    const recorded = this.maps.find((map) => map.fd === fd);
    if (recorded === undefined) throw new SysError('EBADF');
    const { attr, frozen, contents } = recorded;
    const btf = attr.btfFd ? this.types.get(attr.btfFd) : undefined;
    const address = MAP_BASE + BigInt(fd) * MAP_STRIDE;
    const isArray = attr.type === MAP_TYPE.array;
    const constant = frozen && ((attr.flags ?? 0) & RDONLY_PROG) !== 0 && isArray;
    const bytes = contents.get('00000000');
    const map: KMap = {
      id: fd,
      type: attr.type,
      keySize: attr.keySize,
      valueSize: attr.valueSize,
      maxEntries: attr.maxEntries,
      flags: attr.flags ?? 0,
      mapExtra: attr.mapExtra ?? 0n,
      name: attr.name ?? '',
      btf,
      btfKeyTypeId: attr.btfKeyTypeId ?? 0,
      btfValueTypeId: attr.btfValueTypeId ?? 0,
      btfVmlinuxValueTypeId: attr.btfVmlinuxValueTypeId ?? 0,
      record: this.recordOf(attr, btf),
      innerMap: attr.innerMapFd ? { ...this.mapByFd(attr.innerMapFd), name: '' } : undefined,
      frozen,
      bypassSpecV1: true,
      address,
      valueAddress: isArray ? address + BigInt(this.image.offsetOf('bpf_array', 'value')) : undefined,
      constantBytes: (offset, size) => (constant && bytes ? bytes.subarray(offset, offset + size) : undefined),
    };
    this.made.set(fd, map);
    return map;
  }

  override progLoad(attr: ProgLoadAttr): number {
    const fd = super.progLoad(attr);
    const btf = attr.btfFd ? this.types.get(attr.btfFd) : undefined;
    const request: VerifyRequest = {
      image: this.image,
      caps: ALL_CAPABILITIES,
      type: attr.type,
      expectedAttachType: attachTypeOf(attr),
      flags: attr.flags ?? 0,
      name: attr.name ?? '',
      gplCompatible: isGplCompatible(attr.license),
      insns: decodeInsns(attr.insns),
      log: new VerifierLog(0, 0),
      btf,
      funcInfo: attr.funcInfo,
      lineInfo: attr.lineInfo,
      coreRelos: attr.coreRelos,
      attachBtfId: attr.attachBtfId ?? 0,
      attachBtf: attr.attachBtfId ? this.vmlinux() : undefined,
      fdArray: attr.fdArray,
      fdArrayBinds: attr.fdArrayBinds ?? false,
      mapByFd: (n) => this.mapByFd(n),
      btfByFd: (n) => this.btfByFd(n),
    };
    this.requests.set(fd, request);
    return fd;
  }
}
