// A kernel image from its data files. Each file is read and unpacked when something in it is first asked for, so that
// asking for the release reads nothing but image.json.
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { BTF_KIND, Btf, BtfError } from '../../btf/btf.ts';
import { hasBtfMagic } from '../../btf/header.ts';
import { type DataSource, DEFAULT_IMAGE, defaultDataSource, folderSource, MANIFEST_FILE } from './data-source.ts';
import type { CpuSettings, KernelImage } from './image.ts';
import { parseKconfig } from './kconfig.ts';
import { ImageError, type ImageManifest, parseManifest } from './manifest.ts';
import { SymbolTable } from './symbol-table.ts';
import { parseTracepoints } from './tracepoints.ts';

export { ImageError } from './manifest.ts';

/** Names of the files beside image.json. */
export const IMAGE_FILES = {
  /** Instead of the next one in a built package, so that commands start quickly. */
  unpackedBtf: 'vmlinux.btf',
  btf: 'vmlinux.btf.zst',
  symbols: 'kallsyms.zst',
  config: 'config.gz',
  tracepoints: 'tracepoints.zst',
} as const;

/** BTF unpacks to about four times its size. */
const BTF_RATIO = 5;

/** More pieces would be joined by copying them. */
const inOnePiece = (bytes: Uint8Array): Uint8Array =>
  zstdDecompressSync(bytes, { chunkSize: bytes.length * BTF_RATIO });

const SIZED_KINDS = [BTF_KIND.STRUCT, BTF_KIND.UNION, BTF_KIND.TYPEDEF] as const;

/** The captured kernel: all of KernelImage, and the files that it shows under /proc and /sys. */
export class LoadedImage implements KernelImage {
  private readonly source: DataSource;
  private readonly manifest: ImageManifest;
  private bytesOfBtf: Uint8Array | undefined;
  private parsedBtf: Btf | undefined;
  private table: SymbolTable | undefined;
  private options: Map<string, string> | undefined;
  private tracepointIds: Map<string, number> | undefined;
  private readonly sizes: Map<string, number>;

  constructor(source: DataSource) {
    const manifest = source(MANIFEST_FILE);
    if (!manifest) throw new ImageError(`kernel image: ${MANIFEST_FILE} is missing`);
    this.source = source;
    this.manifest = parseManifest(manifest);
    this.sizes = new Map(Object.entries(this.manifest.sizes));
  }

  get release(): string {
    return this.manifest.release;
  }

  get version(): string {
    return this.manifest.version;
  }

  get machine(): string {
    return this.manifest.machine;
  }

  get pageSize(): number {
    return this.manifest.pageSize;
  }

  get possibleCpus(): number {
    return this.manifest.possibleCpus;
  }

  /** NUMA nodes, numbered from 0; all are online. */
  get numaNodes(): number {
    return this.manifest.numaNodes;
  }

  get hz(): number {
    return this.manifest.hz;
  }

  get cpu(): CpuSettings {
    return this.manifest.cpu;
  }

  private unpack(file: string, unpack: (bytes: Uint8Array) => Uint8Array): Uint8Array {
    const bytes = this.source(file);
    if (!bytes) throw new ImageError(`kernel image: ${file} is missing`);
    try {
      return unpack(bytes);
    } catch {
      throw new ImageError(`kernel image: ${file} is damaged`);
    }
  }

  btfBytes(): Uint8Array {
    if (!this.bytesOfBtf) {
      const plain = this.source(IMAGE_FILES.unpackedBtf);
      if (plain && !hasBtfMagic(plain)) throw new ImageError(`kernel image: ${IMAGE_FILES.unpackedBtf} is damaged`);
      this.bytesOfBtf = plain ?? this.unpack(IMAGE_FILES.btf, inOnePiece);
    }
    return this.bytesOfBtf;
  }

  btf(): Btf {
    this.parsedBtf ??= Btf.parse(this.btfBytes());
    return this.parsedBtf;
  }

  private symbols(): SymbolTable {
    this.table ??= new SymbolTable(this.unpack(IMAGE_FILES.symbols, zstdDecompressSync));
    return this.table;
  }

  symbolAddress(name: string): bigint | undefined {
    return Object.hasOwn(this.manifest.dataSymbols, name)
      ? BigInt(this.manifest.dataSymbols[name])
      : this.symbols().address(name);
  }

  symbolAt(address: bigint): string | undefined {
    return this.symbols().nameOf(address);
  }

  config(name: string): string | undefined {
    this.options ??= parseKconfig(Buffer.from(this.unpack(IMAGE_FILES.config, gunzipSync)).toString('utf8'));
    return this.options.get(name);
  }

  sysctl(path: string): string | undefined {
    return Object.hasOwn(this.manifest.sysctls, path) ? this.manifest.sysctls[path] : undefined;
  }

  offsetOf(struct: string, member: string): number {
    return this.manifest.offsets[`${struct}.${member}`] ?? this.btf().offsetOf(struct, member);
  }

  sizeOf(type: string): number {
    const known = this.sizes.get(type);
    if (known !== undefined) return known;
    const btf = this.btf();
    for (const kind of SIZED_KINDS) {
      const id = btf.find(type, kind);
      const size = id ? btf.resolveSize(id) : -1;
      if (size >= 0) {
        this.sizes.set(type, size);
        return size;
      }
    }
    throw new BtfError(`no type ${type} with a size`);
  }

  /** Id of a tracepoint event such as "sched/sched_switch" (perf's `config`); undefined if it is not known. */
  tracepointId(name: string): number | undefined {
    this.tracepointIds ??= this.source(IMAGE_FILES.tracepoints)
      ? parseTracepoints(this.unpack(IMAGE_FILES.tracepoints, zstdDecompressSync))
      : new Map();
    return this.tracepointIds.get(name);
  }

  /**
   * Contents of a file that is the same at every moment: kernel BTF, symbols, configuration, /proc/sys and what was
   * captured of /proc and /sys. Undefined for all others.
   */
  file(path: string): Uint8Array | undefined {
    if (path === '/sys/kernel/btf/vmlinux') return this.btfBytes();
    if (path === '/proc/kallsyms') return this.symbols().text();
    if (path === '/proc/config.gz') return this.source(IMAGE_FILES.config);
    if (path.startsWith('/proc/sys/')) return lineOf(this.sysctl(path.slice('/proc/sys/'.length)));
    const event = /^\/sys\/kernel(?:\/debug)?\/tracing\/events\/([^/]+\/[^/]+)\/id$/.exec(path);
    if (event) return lineOf(this.tracepointId(event[1])?.toString());
    return Object.hasOwn(this.manifest.files, path) ? Buffer.from(this.manifest.files[path]) : undefined;
  }
}

const lineOf = (value: string | undefined): Uint8Array | undefined =>
  value === undefined ? undefined : Buffer.from(`${value}\n`);

/**
 * Opens a kernel image: that of a folder, of a source of files, or the one shipped with the program. Throws ImageError
 * when there is none, or when image.json is damaged; damage elsewhere shows when the file is first needed.
 */
export function loadImage(from?: string | DataSource): LoadedImage {
  const source = typeof from === 'string' ? folderSource(from) : (from ?? defaultDataSource());
  if (!source) throw new ImageError(`kernel image: data/${DEFAULT_IMAGE} is not beside the program`);
  return new LoadedImage(source);
}
