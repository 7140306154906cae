// What every generated light skeleton is built on: a loader program that makes the maps and programs of one object.
import { Btf } from '../btf/btf.ts';
import { SysError } from '../errno.ts';
import { openSimulatedKernel } from '../kernel/index.ts';
import { LOADER_CTX, MAP_DESC, PROG_DESC } from '../object/light/layouts.ts';
import type { Place } from '../object/light/loader-program.ts';
import { LoaderLog, runLoader } from '../object/light/run.ts';
import type { Kernel } from '../syscall.ts';
import { ProgramPart } from './part.ts';
import { SectionMemory } from './section-memory.ts';
import { type MapShape, SkeletonMap } from './skeleton-map.ts';
import { viewOf } from './value-view.ts';

/** A map of a light skeleton. */
export interface LightMap extends MapShape {
  /** Name of a data section. */
  section?: string;
  /** Where its contents lie in the data. */
  contents?: Place;
}

/** What a loader makes, in its order. */
export interface LightShape {
  name: string;
  /** Where the BTF of the object lies in the data. */
  btf?: Place;
  maps: readonly LightMap[];
  programs: readonly string[];
  /** Those of the programs that are loaded. */
  loaded: readonly string[];
}

export interface LightLoadOptions {
  /** Verifier log level; the log is that of the last load or failure. */
  logLevel?: number;
  /** Bytes of the log; 16 MiB less one unless given. */
  logSize?: number;
  /** Numbers of entries by map name, in place of the object's. */
  maxEntries?: Readonly<Record<string, number>>;
}

const LOG_BYTES = (1 << 24) - 1;

/** A program of a light skeleton. */
export class LightProgram extends ProgramPart {
  readonly name: string;

  constructor(name: string) {
    super();
    this.name = name;
  }
}

export class LightSkeleton {
  private readonly shape: LightShape;
  private readonly loader: { data: Uint8Array; insns: Uint8Array };
  private readonly btf: Btf | undefined;
  private readonly mapsByName = new Map<string, SkeletonMap<unknown, unknown>>();
  private readonly programsByName = new Map<string, LightProgram>();
  private readonly sections = new Map<string, SectionMemory>();
  private opened: { kernel: Kernel; own: boolean; fds: number[] } | undefined;
  private lastLog: LoaderLog | undefined;

  /** `data` and `insns` are the loader's, base64. */
  constructor(shape: LightShape, data: string, insns: string) {
    this.shape = shape;
    this.loader = { data: Buffer.from(data, 'base64'), insns: Buffer.from(insns, 'base64') };
    this.btf = shape.btf && Btf.parse(this.part(shape.btf));
    for (const map of shape.maps) this.mapsByName.set(map.name, new SkeletonMap(map, this.btf));
    for (const name of shape.programs) this.programsByName.set(name, new LightProgram(name));
  }

  private part([at, size]: Place): Uint8Array {
    return this.loader.data.subarray(at, at + size);
  }

  /** The map of this name, with the types that the caller knows. */
  protected map<K, V>(name: string): SkeletonMap<K, V> {
    return this.mapsByName.get(name) as unknown as SkeletonMap<K, V>;
  }

  protected program(name: string): LightProgram {
    return this.programsByName.get(name) as LightProgram;
  }

  /** The variables of a data section. */
  protected section<T>(section: string): T {
    const map = this.shape.maps.find((m) => m.section === section) as LightMap;
    const bytes = new Uint8Array(map.valueSize);
    if (map.contents) bytes.set(this.part(map.contents));
    const memory = new SectionMemory(bytes);
    this.sections.set(map.name, memory);
    return viewOf<T>(this.btf as Btf, map.btfValueTypeId, memory);
  }

  /** The log of the last load() that asked for one. */
  get log(): string {
    return this.lastLog?.text() ?? '';
  }

  /**
   * Runs the loader in a kernel, a new simulated one unless given. Throws LoaderError where it fails; everything that it
   * had made is closed again then.
   */
  load(kernel?: Kernel, options: LightLoadOptions = {}): this {
    if (this.opened) throw new SysError('EBUSY', 'the object is loaded already');
    const used = kernel ?? openSimulatedKernel({ statePath: ':memory:' });
    try {
      this.opened = { kernel: used, own: kernel === undefined, fds: this.run(used, options) };
    } catch (error) {
      if (kernel === undefined) used.closeAll();
      throw error;
    }
    return this;
  }

  private run(kernel: Kernel, options: LightLoadOptions): number[] {
    const { maps, loaded } = this.shape;
    const mapAt = (i: number): number => LOADER_CTX.bytes + MAP_DESC.bytes * i;
    const programAt = (i: number): number => mapAt(maps.length) + PROG_DESC.bytes * i;
    const context = new Uint8Array(programAt(loaded.length));
    const view = new DataView(context.buffer);
    maps.forEach(({ name }, i) => {
      view.setUint32(mapAt(i) + MAP_DESC.maxEntries, options.maxEntries?.[name] ?? 0, true);
    });
    const values = maps.flatMap(({ name }, i) => {
      const memory = this.sections.get(name);
      return memory ? [{ at: mapAt(i) + MAP_DESC.initialValue, bytes: memory.initial }] : [];
    });
    this.lastLog = options.logLevel ? new LoaderLog(options.logLevel, options.logSize ?? LOG_BYTES) : undefined;
    runLoader(kernel, this.loader, context, { log: this.lastLog, values });
    const mapFds = maps.map((_, i) => view.getInt32(mapAt(i) + MAP_DESC.mapFd, true));
    const programFds = loaded.map((_, i) => view.getInt32(programAt(i) + PROG_DESC.progFd, true));
    maps.forEach(({ name }, i) => {
      this.mapsByName.get(name)?.attach(kernel, mapFds[i]);
      this.sections.get(name)?.attach(kernel, mapFds[i]);
    });
    loaded.forEach((name, i) => {
      this.programsByName.get(name)?.attach(kernel, programFds[i]);
    });
    return [...programFds, ...mapFds];
  }

  /** Closes what load() made. */
  close(): void {
    if (!this.opened) return;
    const { kernel, own, fds } = this.opened;
    if (own) kernel.closeAll();
    else for (const fd of fds) kernel.close(fd);
    this.opened = undefined;
  }
}
