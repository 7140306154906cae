// Captures `prog dump jited` of pinned programs as test data for src/print/jited.test.ts.
//
//   BPFTOOL=/path/to/bpftool node scripts/capture-jited.ts /sys/fs/bpf/... > testdata/jit/dumps.json
//
// BPFTOOL names a bpftool 7.8 with libbfd; root on Linux.
import { spawnSync } from 'node:child_process';
import { openLiveKernel } from '../src/live/live-kernel.ts';
import type { DumpCase } from '../src/print/jited-fixture.ts';

const hex = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString('hex');
const kernel = openLiveKernel();
const cases: DumpCase[] = process.argv.slice(2).map((path) => {
  const info = kernel.progInfo(kernel.objGet(path).fd);
  const dump = (...words: string[]): string => {
    const place = words.indexOf('dump') + 2;
    const all = [...words.slice(0, place), 'pinned', path, ...words.slice(place)];
    return spawnSync(process.env.BPFTOOL ?? 'bpftool', all, { maxBuffer: 1 << 28 }).stdout.toString();
  };
  return {
    name: path.replace(/.*\//, ''),
    jited: hex(info.jited),
    ksyms: info.jitedKsyms.map(String),
    lens: info.jitedFuncLens,
    names: info.jitedKsyms.map((address) => kernel.symbolAt(address) ?? ''),
    btf: info.btfId ? hex(kernel.btfInfo(kernel.fdById('btf', info.btfId)).bytes) : '',
    funcInfo: hex(info.funcInfo?.bytes),
    lineInfo: hex(info.lineInfo?.bytes),
    jitedLineInfo: info.jitedLineInfo.map(String),
    plain: dump('prog', 'dump', 'jited'),
    full: dump('prog', 'dump', 'jited', 'opcodes', 'linum'),
    json: dump('-j', 'prog', 'dump', 'jited', 'linum'),
    pretty: dump('-p', 'prog', 'dump', 'jited', 'opcodes'),
  };
});
kernel.closeAll();
process.stdout.write(`${JSON.stringify(cases, null, 1)}\n`);
