// What every generated skeleton is built on: an object that is opened, changed, loaded and used.
import type { Btf } from '../btf/btf.ts';
import { SysError } from '../errno.ts';
import { openSimulatedKernel } from '../kernel/index.ts';
import { type LoadedObject, type LoadOptions, loadObject } from '../object/load.ts';
import { openObject } from '../object/open.ts';
import { entryPrograms, type MapSpec, type ObjectSpec, type ProgramSpec } from '../object/spec.ts';
import type { Kernel } from '../syscall.ts';
import { ProgramPart } from './part.ts';
import { SectionMemory } from './section-memory.ts';
import { SkeletonMap } from './skeleton-map.ts';
import { viewOf } from './value-view.ts';

/** A program of a skeleton. */
export class SkeletonProgram extends ProgramPart {
  readonly spec: ProgramSpec;

  constructor(spec: ProgramSpec) {
    super();
    this.spec = spec;
  }

  get name(): string {
    return this.spec.name;
  }

  /** Whether load() loads it. */
  get autoload(): boolean {
    return this.spec.autoload;
  }

  set autoload(value: boolean) {
    this.spec.autoload = value;
  }
}

export class Skeleton {
  readonly object: ObjectSpec;
  private readonly mapsByName = new Map<string, SkeletonMap<unknown, unknown>>();
  private readonly programsByName = new Map<string, SkeletonProgram>();
  private readonly sections = new Map<string, SectionMemory>();
  private kernelInUse: { kernel: Kernel; own: boolean } | undefined;
  private loadedObject: LoadedObject | undefined;

  /** `name` names the object in messages; `base64` is the object file. */
  constructor(name: string, base64: string) {
    this.object = openObject(Buffer.from(base64, 'base64'), { name });
    for (const map of this.object.maps) this.mapsByName.set(map.name, new SkeletonMap(map, this.object.btf));
    for (const program of entryPrograms(this.object))
      this.programsByName.set(program.name, new SkeletonProgram(program));
  }

  /** The map of this name, with the types that the caller knows. */
  protected map<K, V>(name: string): SkeletonMap<K, V> {
    return this.mapsByName.get(name) as unknown as SkeletonMap<K, V>;
  }

  protected program(name: string): SkeletonProgram {
    return this.programsByName.get(name) as SkeletonProgram;
  }

  /** The variables of a data section. */
  protected section<T>(section: string): T {
    const map = this.object.maps.find((m) => m.section === section && m.kind !== 'user') as MapSpec;
    const btf = this.object.btf as Btf;
    // The bytes of the file stay as they are: views write into a copy.
    map.initialValue = map.initialValue ? Uint8Array.from(map.initialValue) : new Uint8Array(map.valueSize);
    const memory = new SectionMemory(map.initialValue);
    this.sections.set(map.name, memory);
    return viewOf<T>(btf, map.btfValueTypeId, memory);
  }

  /**
   * Loads everything into a kernel, a new simulated one unless given. Throws LoadError with the verifier's log where a
   * program is refused.
   */
  load(kernel?: Kernel, options: LoadOptions = {}): this {
    if (this.loadedObject) throw new SysError('EBUSY', 'the object is loaded already');
    const used = kernel ?? openSimulatedKernel({ statePath: ':memory:' });
    this.kernelInUse = { kernel: used, own: kernel === undefined };
    const loaded = loadObject(used, this.object, options);
    this.loadedObject = loaded;
    for (const [name, { fd }] of loaded.maps) {
      this.mapsByName.get(name)?.attach(used, fd);
      this.sections.get(name)?.attach(used, fd);
    }
    for (const [name, { fd }] of loaded.programs) this.programsByName.get(name)?.attach(used, fd);
    return this;
  }

  /** Closes what load() made. */
  close(): void {
    if (!this.kernelInUse) return;
    const { kernel, own } = this.kernelInUse;
    if (own) kernel.closeAll();
    else {
      for (const { fd } of this.loadedObject?.programs.values() ?? []) kernel.close(fd);
      for (const { fd } of this.loadedObject?.maps.values() ?? []) kernel.close(fd);
    }
    this.kernelInUse = undefined;
    this.loadedObject = undefined;
  }
}
