// Captures the running kernel as a kernel image:   node scripts/capture-image/main.ts [FOLDER]
//
// Needs x86-64 Linux with BPF and BTF, and root. Loads a few two-instruction programs, which vanish with the process;
// attaches and pins nothing. Tracepoint ids are taken where tracefs is mounted (or from the folder in TRACEFS).
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { arch, release, version } from 'node:os';
import { basename, join } from 'node:path';
import { constants, gunzipSync, zstdCompressSync } from 'node:zlib';
import { Btf } from '../../src/btf/btf.ts';
import { DEFAULT_IMAGE, MANIFEST_FILE } from '../../src/kernel/image/data-source.ts';
import { parseKconfig } from '../../src/kernel/image/kconfig.ts';
import { IMAGE_FILES } from '../../src/kernel/image/load.ts';
import type { ImageManifest } from '../../src/kernel/image/manifest.ts';
import { type SymbolLine, SymbolTable } from '../../src/kernel/image/symbol-table.ts';
import { cpuSettings, dataSymbols } from './cpu-settings.ts';
import { SIZED_TYPES, WANTED_OFFSETS } from './layout-list.ts';

/** Files under /proc/sys that bpftool, libbpf, the verifier or the emitter read. */
const SYSCTLS = [
  'kernel/bpf_stats_enabled',
  'kernel/unprivileged_bpf_disabled',
  'kernel/kptr_restrict',
  'kernel/perf_event_max_contexts_per_stack',
  'kernel/perf_event_max_sample_rate',
  'kernel/perf_event_max_stack',
  'kernel/perf_event_mlock_kb',
  'kernel/perf_event_paranoid',
  'kernel/dmesg_restrict',
  'kernel/ftrace_enabled',
  'kernel/osrelease',
  'kernel/ostype',
  'kernel/version',
  'net/core/bpf_jit_enable',
  'net/core/bpf_jit_harden',
  'net/core/bpf_jit_kallsyms',
  'net/core/bpf_jit_limit',
];

const FILES = [
  '/proc/version',
  '/proc/version_signature',
  '/sys/devices/system/cpu/online',
  '/sys/devices/system/cpu/possible',
  '/sys/devices/system/cpu/present',
];

const ZSTD_LEVEL = 22;
const pack = (bytes: Uint8Array): Uint8Array =>
  zstdCompressSync(bytes, {
    params: { [constants.ZSTD_c_compressionLevel]: ZSTD_LEVEL, [constants.ZSTD_c_checksumFlag]: 1 },
  });

/** Who built the kernel where is nobody's business. */
const withoutBuilder = (text: string): string => text.replace(/\([^()\s]+@[^()\s]+\)/, '(builder@localhost)');

function tryRead(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}

/** "0-3" is 4, "0" is 1. */
const countOfRange = (text: string | undefined): number => Number(text?.trim().split('-').at(-1) ?? 0) + 1;

/** Lines of /proc/kallsyms without those of loaded BPF programs, which belong to the moment. */
function readSymbols(): SymbolLine[] {
  const lines: SymbolLine[] = [];
  for (const line of readFileSync('/proc/kallsyms', 'latin1').split('\n')) {
    const match = /^([0-9a-f]+) (.) (.+)$/.exec(line);
    if (!match || match[3].endsWith('\t[bpf]')) continue;
    lines.push({ address: BigInt(`0x${match[1]}`), type: match[2], name: match[3] });
  }
  if (!lines.some((line) => line.address !== 0n)) throw new Error('/proc/kallsyms hides addresses: run as root');
  return lines;
}

function readTracepoints(tracefs: string): string {
  const lines: string[] = [];
  for (const group of readdirSync(join(tracefs, 'events'), { withFileTypes: true })) {
    if (!group.isDirectory()) continue;
    for (const event of readdirSync(join(tracefs, 'events', group.name))) {
      const id = tryRead(join(tracefs, 'events', group.name, event, 'id'));
      if (id) lines.push(`${group.name}/${event} ${id.toString().trim()}\n`);
    }
  }
  return lines.sort().join('');
}

const byName = (read: (name: string) => string | undefined, names: readonly string[]): Record<string, string> =>
  Object.fromEntries(names.map((name) => [name, read(name)]).filter((entry) => entry[1] !== undefined));

function main(folder: string): void {
  const btfBytes = readFileSync('/sys/kernel/btf/vmlinux');
  const configBytes = tryRead('/proc/config.gz') ?? tryRead(`/boot/config-${release()}`);
  if (!configBytes) throw new Error('neither /proc/config.gz nor /boot/config-* can be read');
  const config = parseKconfig(gunzipSync(configBytes).toString());
  const symbols = SymbolTable.pack(readSymbols());
  const table = new SymbolTable(symbols);
  const btf = Btf.parse(btfBytes);

  const manifest: ImageManifest = {
    release: release(),
    version: version(),
    machine: arch() === 'x64' ? 'x86_64' : arch(),
    pageSize: 4096,
    possibleCpus: countOfRange(tryRead('/sys/devices/system/cpu/possible')?.toString()),
    numaNodes: countOfRange(tryRead('/sys/devices/system/node/online')?.toString()),
    hz: Number(config.get('CONFIG_HZ')),
    cpu: cpuSettings((address) => table.nameOf(address), config),
    dataSymbols: dataSymbols((name) => table.address(name)),
    sysctls: byName((name) => tryRead(`/proc/sys/${name}`)?.toString().replace(/\n$/, ''), SYSCTLS),
    files: byName((name) => {
      const text = tryRead(name)?.toString();
      return text && withoutBuilder(text);
    }, FILES),
    sizes: Object.fromEntries(SIZED_TYPES.map((type) => [type, btf.resolveSize(btf.find(type, 4))])),
    offsets: Object.fromEntries(
      WANTED_OFFSETS.map((path) => {
        const dot = path.indexOf('.');
        return [path, btf.offsetOf(path.slice(0, dot), path.slice(dot + 1))];
      }),
    ),
  };

  mkdirSync(folder, { recursive: true });
  const write = (file: string, bytes: Uint8Array | string): void => writeFileSync(join(folder, file), bytes);
  write(MANIFEST_FILE, `${JSON.stringify(manifest, undefined, 2)}\n`);
  write(IMAGE_FILES.btf, pack(btfBytes));
  write(IMAGE_FILES.symbols, pack(symbols));
  write(IMAGE_FILES.config, configBytes);
  const tracefs = process.env.TRACEFS ?? '/sys/kernel/tracing';
  if (tryRead(join(tracefs, 'README'))) write(IMAGE_FILES.tracepoints, pack(Buffer.from(readTracepoints(tracefs))));
  process.stdout.write(`${basename(folder)}: Linux ${manifest.release}, ${table.count} symbols, ${btf.count} types\n`);
}

main(process.argv[2] ?? join(import.meta.dirname, '../../data', DEFAULT_IMAGE));
