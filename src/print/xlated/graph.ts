// `prog dump xlated visual`: the flow graph in DOT, byte for byte as bpftool writes it.
import { disasmInsn } from '../../isa/disasm.ts';
import { decodeInsns, type Insn } from '../../isa/insn.ts';
import { type BasicBlock, buildFlowGraph, ENTRY_BLOCK, EXIT_BLOCK, type FlowFunction } from '../cfg.ts';
import {
  opcodeBytes,
  prototypeReader,
  type XlatedOptions,
  type XlatedProgram,
  xlatedNames,
  xlatedRows,
} from '../xlated.ts';
import { sourceLineLabel } from './source-line.ts';

/** An instruction's text is cut to this many characters, its end of line included. */
const MAX_TEXT = 63;
/** End of a row in a record label: left-aligned, and continued on the next line of the file. */
const ROW_END = '\\l\\\n';

const escapeInsn = (text: string): string => text.replace(/[<>|&]/g, '\\$&');

/**
 * One digraph with a cluster for each function.
 * rule: dump_xlated_cfg, bpftool 7.8
 */
export function printXlatedGraph(program: XlatedProgram, options: XlatedOptions, write: (text: string) => void): void {
  const insns = decodeInsns(program.info.xlated);
  write('digraph "DOT graph for eBPF program" {\n');
  for (const func of buildFlowGraph(insns)) {
    const { id } = func;
    write(`subgraph "cluster_${id}" {\n\tstyle="dashed";\n\tcolor="black";\n\tlabel="func_${id} ()";\n`);
    write(node(id, ENTRY_BLOCK, 'Mdiamond', 'ENTRY'));
    for (const block of func.blocks)
      write(node(id, block.id, 'record', `{\\\n${blockLabel(program, options, insns, func, block)}}`));
    write(node(id, EXIT_BLOCK, 'Mdiamond', 'EXIT'));
    for (const { from, to } of func.edges)
      write(`${edge(id, from, to)} [style="solid,bold", color=black, weight=10, constraint=true];\n`);
    write(`${edge(id, ENTRY_BLOCK, EXIT_BLOCK)} [style="invis", constraint=true];\n}\n`);
  }
  write('}\n');
}

const node = (func: number, block: number, shape: string, label: string): string =>
  `\tfn_${func}_bb_${block} [shape=${shape},style=filled,label="${label}"];\n\n`;

const edge = (func: number, from: number, to: number): string => `\tfn_${func}_bb_${from}:s -> fn_${func}_bb_${to}:n`;

/** The rows of one block. Numbers, prototypes and source lines count from the function's start, as bpftool has it. */
function blockLabel(
  program: XlatedProgram,
  options: XlatedOptions,
  insns: readonly Insn[],
  func: FlowFunction,
  block: BasicBlock,
): string {
  const { info, btf, lines } = program;
  const names = xlatedNames(program);
  const prototype = prototypeReader(program);
  let out = '';
  let last: unknown;
  for (const row of xlatedRows(insns, block.head, block.tail + 1)) {
    const index = row.index - func.start;
    const proto = prototype(index);
    if (proto) out += `; ${proto}:${ROW_END}`;
    const line = lines?.find(index, 0);
    if (line && line !== last) {
      last = line;
      if (btf) out += sourceLineLabel(btf, line, options.linum);
    }
    const text = disasmInsn(row.insn, row.next, names);
    out += `${index}: ${escapeInsn(text.slice(0, MAX_TEXT))}${text.length < MAX_TEXT ? ROW_END : ''}`;
    if (options.opcodes) out += `\\ \\ \\ \\ ${opcodeBytes(info.xlated, row).join(' ')}${ROW_END}`;
    if (row.index !== block.tail) out += '| ';
  }
  return out;
}
