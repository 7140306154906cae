// Files under /proc and /sys that change while the kernel runs; all others are the image's.

import type { KernelContext } from './context.ts';
import { type ProgramSymbol, programSymbols } from './prog-store.ts';

const symbolLine = ({ address, name }: ProgramSymbol): string => `${address.toString(16)} t ${name}\t[bpf]\n`;

/** /proc/kallsyms: the kernel's symbols, then those of loaded programs, oldest first. */
function kallsyms({ db, image }: KernelContext): Uint8Array | undefined {
  const kernel = image.file('/proc/kallsyms');
  if (!kernel) return undefined;
  const rows = db.all('SELECT tag, functions FROM prog ORDER BY id');
  return Buffer.concat([kernel, Buffer.from(rows.flatMap(programSymbols).map(symbolLine).join(''))]);
}

/** /proc/uptime: seconds since boot and idle time of all CPUs, which have nothing to do. */
function uptime(context: KernelContext): Uint8Array {
  const seconds = Number(context.sinceBoot() / 10_000_000n) / 100;
  return Buffer.from(`${seconds.toFixed(2)} ${(seconds * context.layout.cpus).toFixed(2)}\n`);
}

const CHANGING: Readonly<Record<string, (context: KernelContext) => Uint8Array | undefined>> = {
  '/proc/kallsyms': kallsyms,
  '/proc/uptime': uptime,
};

/** Contents of a file as this kernel shows it; undefined where it has none. */
export const readKernelFile = (context: KernelContext, path: string): Uint8Array | undefined =>
  Object.hasOwn(CHANGING, path) ? CHANGING[path](context) : context.image.file(path);
