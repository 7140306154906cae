// image.json: the small part of a kernel image, read whole.
import type { CpuSettings } from './image.ts';

/** Contents of image.json. Addresses are hexadecimal strings with 0x. */
export interface ImageManifest {
  release: string;
  version: string;
  machine: string;
  pageSize: number;
  possibleCpus: number;
  numaNodes: number;
  hz: number;
  cpu: CpuSettings;
  /** Data symbols that Linux writes into programs; /proc/kallsyms does not have them. */
  dataSymbols: Record<string, string>;
  /** Values of files under /proc/sys, without the final newline. */
  sysctls: Record<string, string>;
  /** Other small files by absolute path, with their newline. */
  files: Record<string, string>;
  /** Sizes of often needed types, taken from the BTF so that it need not be read for them. */
  sizes: Record<string, number>;
  /** Offsets of often needed members, "struct.member", likewise. */
  offsets: Record<string, number>;
}

/** An image that cannot be found, or whose files are damaged. */
export class ImageError extends Error {}

const REQUIRED = ['release', 'version', 'machine', 'pageSize', 'possibleCpus', 'hz', 'cpu'] as const;

/** Parses image.json; throws ImageError when it is not one. */
export function parseManifest(bytes: Uint8Array): ImageManifest {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    throw new ImageError('kernel image: image.json is not JSON');
  }
  const fields = (typeof value === 'object' && value !== null ? value : {}) as Partial<ImageManifest>;
  for (const name of REQUIRED) {
    if (fields[name] === undefined) throw new ImageError(`kernel image: image.json lacks "${name}"`);
  }
  return {
    ...(fields as ImageManifest),
    numaNodes: fields.numaNodes ?? 1,
    dataSymbols: fields.dataSymbols ?? {},
    sysctls: fields.sysctls ?? {},
    files: fields.files ?? {},
    sizes: fields.sizes ?? {},
    offsets: fields.offsets ?? {},
  };
}
