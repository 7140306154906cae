// Everything that is done with an object file or with BTF data, with bytes that may be anything.
import { Btf, BtfError } from '../../src/btf/btf.ts';
import { dedupBtf } from '../../src/btf/dedup/dedup.ts';
import { diffBtf } from '../../src/btf/diff.ts';
import { distillBase } from '../../src/btf/distill.ts';
import { dumpC } from '../../src/btf/dump-c.ts';
import { dumpRaw } from '../../src/btf/dump-raw.ts';
import { BtfBuilder } from '../../src/btf/encode.ts';
import { parseBtfFile } from '../../src/btf/file.ts';
import { relocateBtf } from '../../src/btf/relocate.ts';
import { structLayout } from '../../src/btf/struct-layout.ts';
import { ElfError, readElf } from '../../src/elf/elf.ts';
import { SysError } from '../../src/errno.ts';
import { checkBtf } from '../../src/kernel/syscall/btf-check/check.ts';
import { BtfExtError, readBtfExt } from '../../src/object/btf-ext.ts';
import { Linker } from '../../src/object/link/linker.ts';
import { loadObject } from '../../src/object/load.ts';
import { BtfMinimizer } from '../../src/object/min-core-btf.ts';
import { openObject } from '../../src/object/open.ts';
import { Messages } from '../../src/object/print.ts';
import { RecordingKernel } from '../../src/object/recording-kernel.ts';
import { writeSkeletonC } from '../../src/object/skeleton-c/skeleton.ts';
import { writeSubskeletonC } from '../../src/object/skeleton-c/subskeleton.ts';
import { skeletonSource } from '../../src/object/skeleton-ts.ts';
import type { ObjectSpec } from '../../src/object/spec.ts';
import { JsonWriter } from '../../src/print/json.ts';
import type { Random } from '../random.ts';

/** Told of each piece of work: what it was, how long it took, and what it threw unless that was an error of the input. */
export type Report = (what: string, ms: number, fault: unknown) => void;

/** The errors that bad input may end in. */
const EXPECTED = [BtfError, ElfError, SysError, BtfExtError];

const sink = (): void => undefined;
const SILENT = new Messages(sink);
/** Libbpf's own, as if the object were for this kernel. */
const VMLINUX = '/sys/kernel/btf/vmlinux';

/** Time that this thread has worked: what others do on the machine does not count. */
const cpuMs = (): number => {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
};

/** Types that each piece of work looks at one by one. */
const MAX_TYPES = 40;

export class Exercise {
  private readonly report: Report;
  private readonly random: Random;
  private readonly base: Btf;
  /** Another object to link with, and the types that stand for the kernel's. */
  private readonly partner: Uint8Array;
  private readonly kernelBtf: Btf;
  /** Whether the input could be opened. */
  opened = false;

  constructor(report: Report, random: Random, base: Btf, partner: Uint8Array, kernelBtf: Btf) {
    this.report = report;
    this.random = random;
    this.base = base;
    this.partner = partner;
    this.kernelBtf = kernelBtf;
  }

  /** Runs a piece of work; gives undefined where it ended in an error. */
  private attempt<T>(what: string, work: () => T): T | undefined {
    const start = cpuMs();
    let fault: unknown;
    let result: T | undefined;
    try {
      result = work();
    } catch (error) {
      if (!EXPECTED.some((kind) => error instanceof kind)) fault = error;
    }
    this.report(what, cpuMs() - start, fault);
    return result;
  }

  private oneOf(...works: (() => void)[]): void {
    works[this.random.below(works.length)]();
  }

  types(bytes: Uint8Array, isSplit: boolean): void {
    const btf = this.attempt('parse', () => Btf.parse(bytes, isSplit ? this.base : undefined));
    if (!isSplit) this.attempt('BTF_LOAD', () => checkBtf(bytes, { level: 1, size: 1 << 16 }, () => this.kernelBtf));
    if (!btf) return;
    this.opened = true;
    this.dump(btf);
  }

  /** All that is done with types that could be opened. */
  private dump(btf: Btf): void {
    const { random } = this;
    this.oneOf(
      () => this.attempt('raw', () => dumpRaw(btf, { write: sink })),
      () =>
        this.attempt('JSON', () => dumpRaw(btf, { json: new JsonWriter(sink, random.below(2) === 0), write: sink })),
    );
    this.attempt('C', () => dumpC(btf, { sorted: random.below(2) === 0, write: sink, warn: sink }));
    this.oneOf(
      () => this.attempt('dedup', () => dedupBtf(btf)),
      () => this.attempt('encode', () => BtfBuilder.from(btf).bytes()),
      () => this.attempt('diff', () => diffBtf(btf, this.base)),
      () => this.attempt('layout', () => this.lookAtTypes(btf)),
      () => this.attempt('roots', () => dumpC(btf, { roots: [random.below(btf.count)], write: sink, warn: sink })),
      () => this.attempt('distill', () => distillBase(btf)),
      () => this.attempt('relocate', () => relocateBtf(btf, this.kernelBtf)),
    );
  }

  private lookAtTypes(btf: Btf): void {
    for (let id = btf.firstId; id < Math.min(btf.count, btf.firstId + MAX_TYPES); id++) {
      const looks: readonly (() => unknown)[] = [
        () => structLayout(btf, id),
        () => btf.resolveSize(id),
        () => btf.align(id),
      ];
      for (const look of looks) this.attempt('one type', look);
    }
  }

  object(bytes: Uint8Array): void {
    const print = this.random.below(4) === 0 ? (): void => undefined : undefined;
    const spec = this.attempt('open', () => openObject(bytes, { path: 'x.bpf.o', ...(print && { print }) }));
    this.opened = spec !== undefined;
    this.oneOf(
      () => this.attempt('link', () => this.link([bytes])),
      () =>
        this.attempt('link two', () => this.link(this.random.below(2) ? [bytes, this.partner] : [this.partner, bytes])),
      () => this.attempt('sections', () => this.readSections(bytes)),
      () => {
        const btf = this.attempt('BTF of file', () => parseBtfFile(bytes, 'x', undefined));
        if (btf) this.dump(btf);
      },
      () => spec && this.useObject(spec, bytes),
      () => spec && this.attempt('load', () => this.load(spec)),
    );
  }

  private useObject(spec: ObjectSpec, bytes: Uint8Array): void {
    this.oneOf(
      () => this.attempt('skeleton', () => writeSkeletonC(spec, bytes, 'x', sink)),
      () => this.attempt('subskeleton', () => writeSubskeletonC(spec, 'x', sink)),
      () => this.attempt('TypeScript skeleton', () => skeletonSource(spec, bytes, 'x')),
      () => this.attempt('min_core_btf', () => this.minimize(spec)),
    );
  }

  private link(files: readonly Uint8Array[]): void {
    const linker = new Linker(sink);
    for (const file of files) linker.add(file, 'x.o');
    linker.finish();
  }

  private readSections(bytes: Uint8Array): void {
    const elf = readElf(bytes);
    for (const section of elf.sections) {
      const looks: readonly (() => unknown)[] = [
        () => section.name,
        () => section.unpacked,
        () => elf.symbols(section).map((symbol) => symbol.name),
        () => elf.relocations(section),
        () => readBtfExt(section.data, () => 0, SILENT),
      ];
      for (const look of looks) this.attempt('section', look);
    }
  }

  private minimize({ btf, btfExt }: ObjectSpec): void {
    const minimizer = new BtfMinimizer(this.kernelBtf);
    if (btf && btfExt) minimizer.addObject(btf, btfExt, SILENT);
    minimizer.bytes();
  }

  private load(spec: ObjectSpec): void {
    const kernel = new RecordingKernel({ [VMLINUX]: this.kernelBtf.bytes });
    loadObject(kernel, spec, { kernelBtf: this.kernelBtf });
  }
}
