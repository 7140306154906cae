// What all commands of one process on one state share.
import { SysError } from '../../errno.ts';
import type { ObjectKind } from '../../syscall.ts';
import type { LoadedImage } from '../image/load.ts';
import type { MemoryLayout } from '../maps/record.ts';
import type { Capabilities } from '../objects.ts';
import type { Database, Row } from '../store/database.ts';
import { type Descriptor, DescriptorTable } from './descriptors.ts';
import { type ObjectId, ObjectStore } from './object-store.ts';

/** kernel.perf_event_max_stack where the image does not say. */
const MAX_STACK_DEPTH = 127;

export class KernelContext {
  readonly db: Database;
  readonly image: LoadedImage;
  readonly caps: Capabilities;
  readonly objects: ObjectStore;
  readonly fds = new DescriptorTable();
  readonly layout: MemoryLayout;

  constructor(db: Database, image: LoadedImage, caps: Capabilities) {
    this.db = db;
    this.image = image;
    this.caps = caps;
    this.objects = new ObjectStore(db);
    this.layout = {
      cpus: image.possibleCpus,
      pageSize: image.pageSize,
      maxStackDepth: Number(image.sysctl('kernel/perf_event_max_stack') ?? MAX_STACK_DEPTH),
      sizeOf: (struct) => image.sizeOf(struct),
      kernelBtf: () => image.btf(),
      config: (name) => image.config(name),
    };
  }

  /** kernel.unprivileged_bpf_disabled is set. */
  get unprivilegedDisabled(): boolean {
    return (this.image.sysctl('kernel/unprivileged_bpf_disabled') ?? '2') !== '0';
  }

  /** A new descriptor of an object; must stand in a transaction. */
  open(object: ObjectId, access = 0): number {
    this.objects.hold(object);
    return this.fds.install(object, access);
  }

  close(fd: number): void {
    const object = this.fds.remove(fd);
    if (this.fds.usesOf(object) === 0) this.opening(() => this.objects.letGo(object));
  }

  /** A transaction for opening and closing, which also somebody who may only read can do. */
  opening<T>(work: () => T): T {
    return this.db.readOnly ? this.db.read(work) : this.db.write(work);
  }

  /** Row of the object behind a descriptor; ENOENT when it was removed with the whole state. */
  row(descriptor: Descriptor): Row {
    const row = this.objects.row(descriptor.kind, descriptor.id);
    if (!row) throw new SysError('ENOENT');
    return row;
  }

  rowOf(fd: number, kind: ObjectKind): Row {
    return this.row(this.fds.get(fd, kind));
  }

  /** Nanoseconds since the epoch at which this kernel started. */
  bootTime(): bigint {
    const row = this.db.get("SELECT value FROM setting WHERE name = 'boot_time'");
    return BigInt((row?.value as bigint | undefined) ?? 0n);
  }

  sinceBoot(): bigint {
    return BigInt(Date.now()) * 1_000_000n - this.bootTime();
  }
}
