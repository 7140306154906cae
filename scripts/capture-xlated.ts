// Captures `prog dump xlated` of pinned programs as test data for src/print/xlated.test.ts.
//
//   BPFTOOL=/path/to/bpftool node scripts/capture-xlated.ts /sys/fs/bpf/... > testdata/rewrite/print/dumps.json
//
// BPFTOOL names a bpftool 7.8; root on Linux.
import { spawnSync } from 'node:child_process';
import { decodeInsns } from '../src/isa/insn.ts';
import { CALL_KIND, CLASS, JMP } from '../src/isa/opcode.ts';
import { openLiveKernel } from '../src/live/live-kernel.ts';
import { XLATED_FORMS, type XlatedCase } from '../src/print/xlated/fixture.ts';
import { BAD_LINE_INFO } from '../src/print/xlated/program-lines.ts';

const CALL = CLASS.JMP | JMP.CALL;

const hex = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString('hex');
const kernel = openLiveKernel();
const callBase = kernel.symbolAddress('__bpf_call_base') ?? 0n;

const cases: XlatedCase[] = process.argv.slice(2).map((path) => {
  const info = kernel.progInfo(kernel.objGet(path).fd);
  const targets = decodeInsns(info.xlated)
    .filter(({ code, src }) => code === CALL && src !== CALL_KIND.PSEUDO)
    .map(({ imm }) => BigInt.asUintN(64, callBase + BigInt(imm)));
  const run = (form: string) => {
    const words = form.split(' ').filter((w) => w !== '');
    const options = words.filter((w) => w.startsWith('-'));
    const rest = words.filter((w) => !w.startsWith('-'));
    const all = [...options, 'prog', 'dump', 'xlated', 'pinned', path, ...rest];
    return spawnSync(process.env.BPFTOOL ?? 'bpftool', all, { encoding: 'utf8', maxBuffer: 1 << 28 });
  };
  return {
    name: path.replace(/^\/sys\/fs\/bpf\/[^/]*\//, ''),
    xlated: hex(info.xlated),
    ksyms: info.jitedKsyms.map(String),
    lens: info.jitedFuncLens,
    btf: info.btfId ? hex(kernel.btfInfo(kernel.fdById('btf', info.btfId)).bytes) : '',
    funcInfo: hex(info.funcInfo?.bytes),
    lineInfo: hex(info.lineInfo?.bytes),
    jitedLineInfo: info.jitedLineInfo.map(String),
    callBase: String(callBase),
    symbols: Object.fromEntries(
      [...new Set([...targets, ...info.jitedKsyms])].map((at) => [String(at), kernel.symbolAt(at) ?? '']),
    ),
    badLines: run('').stderr.includes(BAD_LINE_INFO),
    texts: Object.fromEntries(XLATED_FORMS.map((form) => [form, run(form).stdout])),
  };
});
kernel.closeAll();
process.stdout.write(`${JSON.stringify(cases, null, 1)}\n`);
