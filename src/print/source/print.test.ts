import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Btf } from '../../btf/btf.ts';
import { openSimulatedKernel } from '../../kernel/index.ts';
import { loadObject } from '../../object/load.ts';
import { openObject } from '../../object/open.ts';
import type { ProgSource } from '../../syscall.ts';
import { loadDisassembler } from '../jited.ts';
import { JsonWriter } from '../json.ts';
import { ProgramLines } from '../xlated/program-lines.ts';
import type { XlatedProgram } from '../xlated.ts';
import { type SourceGroup, sourceGroups } from './groups.ts';
import { printSource, writeSource } from './print.ts';

/** A program of the corpus, loaded. */
function load(object: string, name: string): { program: XlatedProgram; source: ProgSource } {
  const path = new URL(`../../../testdata/corpus/obj/${object}.bpf.o`, import.meta.url).pathname;
  const kernel = openSimulatedKernel({ statePath: ':memory:' });
  const { fd } = loadObject(kernel, openObject(readFileSync(path), { path }), { programs: [name] }).programs.get(
    name,
  ) ?? { fd: -1 };
  const info = kernel.progInfo(fd);
  const source = kernel.progSource?.(fd);
  const btf = Btf.parse(kernel.btfInfo(kernel.fdById('btf', info.btfId)).bytes);
  const lines = ProgramLines.of(info);
  if (!source || lines === 'bad') throw new Error('a program without a source');
  const symbols = {
    callBase: kernel.symbolAddress('__bpf_call_base') ?? 0n,
    nameAt: (a: bigint) => kernel.symbolAt(a),
  };
  return { program: { info, btf, symbols, lines }, source };
}

const groupsOf = async (object: string, name: string): Promise<SourceGroup[]> => {
  const { program, source } = load(object, name);
  return sourceGroups(program, source, await loadDisassembler(undefined));
};

const PROGRAMS = [
  ['subprog_static', 'calls'],
  ['xdp_parse', 'parse_tcp'],
  ['dead_code', 'hard_wired'],
  ['map_hash', 'count_open'],
  ['loop_helper', 'looped'],
] as const;

describe('sourceGroups', () => {
  it.each(PROGRAMS)('shows every instruction of %s once in each form', async (object, name) => {
    const { program, source } = load(object, name);
    const groups = sourceGroups(program, source, await loadDisassembler(undefined));
    const slots = (bytes: Uint8Array): number[] =>
      Array.from({ length: bytes.length / 8 }, (_, i) => i).filter((i) => i === 0 || bytes[(i - 1) * 8] !== 0x18);
    const shown = (form: 'bpf' | 'xlated'): number[] =>
      groups.flatMap((g) => g[form].map((x) => x.at)).sort((a, b) => a - b);
    expect(shown('xlated')).toEqual(slots(program.info.xlated));
    expect(shown('bpf')).toEqual(slots(source.insns));
    const disassemble = await loadDisassembler(undefined);
    expect(groups.reduce((n, g) => n + g.jited.length, 0)).toBe(
      program.info.jitedFuncLens.reduce((sum, length, i, all) => {
        const at = all.slice(0, i).reduce((a, b) => a + b, 0);
        return sum + [...disassemble(program.info.jited.subarray(at, at + length), 0n)].length;
      }, 0),
    );
  });

  it('puts an inlined helper beside the call that it was', async () => {
    const [, line] = await groupsOf('subprog_static', 'calls');
    expect(line.source).toContain('bpf_get_smp_processor_id()');
    const call = line.bpf.find((insn) => insn.text.includes('bpf_get_smp_processor_id'));
    expect(call?.becomes).toBe(line.xlated[0].at);
    expect(line.xlated.length).toBe(line.bpf.length + 2);
    expect(line.jited.map((insn) => insn.text).join()).toContain('%gs:');
  });

  it('begins each function with its prototype', async () => {
    const groups = await groupsOf('subprog_static', 'calls');
    expect(groups.filter((g) => g.proto !== '').map((g) => [g.proto, g.jited[0].at])).toEqual([
      ['int calls(void * ctx)', 0],
      ['__u64 fill(__u64 * buf, int n)', 0],
      ['__u64 mix(__u64 a, __u64 b)', 0],
    ]);
  });
});

describe('printSource', () => {
  it('prints C, BPF, translated BPF and machine code in columns', async () => {
    const { program, source } = load('xdp_parse', 'parse_tcp');
    let text = '';
    await printSource(program, source, { opcodes: false, linum: false }, (t) => {
      text += t;
    });
    expect(text).toContain('; xdp_parse.bpf.c:13: void *data = (void *)(long)ctx->data');
    expect(text).toMatch(
      /^ {3}1: \(61\) r3 = \*\(u32 \*\)\(r1 \+4\) +1: \(79\) r3 = \*\(u64 \*\)\(r1 \+8\) +[0-9a-f]+: mov {4}0x8\(%rdi\),%rdx$/m,
    );
  });

  it('leaves the column of the loaded program out where the kernel does not keep it', async () => {
    const { program } = load('xdp_parse', 'parse_tcp');
    let text = '';
    await printSource(program, undefined, { opcodes: false, linum: false }, (t) => {
      text += t;
    });
    expect(text.split('\n')[0]).toMatch(/^translated +machine code$/);
    expect(text).not.toContain('(61) r3 = *(u32 *)(r1 +4)');
  });

  it('writes the same as JSON', async () => {
    const { program, source } = load('subprog_static', 'calls');
    let text = '';
    const json = new JsonWriter((t) => {
      text += t;
    }, false);
    await writeSource(program, source, { opcodes: false, linum: false }, json);
    json.finish();
    const groups = JSON.parse(text);
    expect(groups[0]).toMatchObject({ proto: 'int calls(void * ctx)', line_num: 19, bpf: [{ at: 0 }, { at: 1 }] });
  });
});
