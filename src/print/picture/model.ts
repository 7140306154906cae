// The picture of a program as a Graphviz model: a cluster for each function, a table for each block.
import { attribute, Digraph, Edge as GraphEdge, Node, Subgraph } from 'ts-graphviz';
import { disasmInsn } from '../../isa/disasm.ts';
import { decodeInsns, type Insn } from '../../isa/insn.ts';
import { sourceLineText } from '../xlated/source-line.ts';
import {
  opcodeBytes,
  prototypeReader,
  type XlatedOptions,
  type XlatedProgram,
  xlatedNames,
  xlatedRows,
} from '../xlated.ts';
import { type Block, type Edge, type Flow, flowOf, LOOP_ROUNDS } from './flow.ts';

/** Characters of a row; longer ones are cut. */
const ROW = 96;

/** Backgrounds from cold to hot; a step is a factor of LOOP_ROUNDS. */
const HEAT = ['#ffffff', '#fff3c4', '#ffd89b', '#ffb37a', '#ff8a65'] as const;
const UNREACHABLE = '#e4e4e4';
const SOURCE = '#3b5b7a';

const EDGE_STYLE: Readonly<Record<Edge['kind'], { color: string; style: string }>> = {
  next: { color: '#555555', style: 'solid' },
  jump: { color: '#1f5fbf', style: 'solid' },
  taken: { color: '#1b7f3b', style: 'solid' },
  'not taken': { color: '#b3261e', style: 'solid' },
};

const LEGEND = [
  'green: branch taken, red: not taken, blue: jump',
  'thick purple: back to the start of a loop',
  'dotted: call of a function, dashed: function given as callback',
  `warmer: expected to run more often (branches even, loops ${LOOP_ROUNDS} times)`,
  'grey: never reached',
]
  .map((line) => `${line}\\l`)
  .join('');

const escapeHtml = (text: string): string =>
  text
    .replace(/[^\x20-\x7e\u00a0-\uffff]/g, ' ')
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/"/g, '&quot;')
    .replace(/ /g, '&#160;');

const cut = (text: string): string => (text.length > ROW ? `${text.slice(0, ROW - 1)}…` : text);

const row = (inside: string, more = ''): string => `<TR><TD ALIGN="LEFT"${more}>${inside}</TD></TR>`;

const colour = (block: Block): string =>
  block.reachable
    ? HEAT[Math.max(0, Math.min(HEAT.length - 1, Math.round(Math.log(block.heat) / Math.log(LOOP_ROUNDS))))]
    : UNREACHABLE;

/** What a block is, in words over its instructions. */
function title(block: Block): string {
  const words = [block.head === block.tail ? `${block.head}` : `${block.head}–${block.tail}`];
  if (!block.reachable) words.push('never reached');
  if (block.loopHead) words.push('loop starts');
  if (block.depth > 0) words.push(`in ${block.depth} loop${block.depth > 1 ? 's' : ''}`);
  return words.join(' · ');
}

class Picture {
  readonly graph = new Digraph('program');
  private readonly program: XlatedProgram;
  private readonly options: XlatedOptions;
  private readonly insns: readonly Insn[];
  private readonly nodes = new Map<number, Node>();

  constructor(program: XlatedProgram, options: XlatedOptions) {
    this.program = program;
    this.options = options;
    this.insns = decodeInsns(program.info.xlated);
    this.graph.attributes.graph.apply({
      [attribute.fontname]: 'Helvetica,Arial,sans-serif',
      [attribute.label]: LEGEND,
      [attribute.labeljust]: 'l',
      [attribute.fontsize]: 11,
    });
    this.graph.attributes.node.apply({
      [attribute.shape]: 'plain',
      [attribute.fontname]: 'Courier New,Courier,monospace',
      [attribute.fontsize]: 10,
    });
    this.graph.attributes.edge.apply({ [attribute.arrowsize]: 0.7 });
  }

  draw(): Digraph {
    const starts = functionStarts(this.program);
    const flows = flowOf(this.insns, starts);
    const prototype = prototypeReader(this.program);
    for (const [i, flow] of flows.entries()) this.function(flow, i, prototype(flow.start));
    for (const { calls, blocks } of flows) {
      for (const { at, to, kind } of calls) {
        const from = blocks.find((b) => b.head <= at && at <= b.tail);
        if (!from) continue;
        this.edge(from.head, to, {
          [attribute.style]: kind === 'call' ? 'dotted' : 'dashed',
          [attribute.color]: '#1f5fbf',
          [attribute.penwidth]: 1.5,
          [attribute.constraint]: false,
        });
      }
    }
    return this.graph;
  }

  private function(flow: Flow, index: number, prototype: string): void {
    const cluster = new Subgraph(`cluster_${index}`);
    cluster.apply({
      [attribute.label]: prototype === '' ? `function at ${flow.start}` : prototype,
      [attribute.labeljust]: 'l',
      [attribute.style]: 'rounded',
      [attribute.color]: '#888888',
      [attribute.fontsize]: 13,
    });
    for (const block of flow.blocks) {
      const node = new Node(`b${block.head}`, { [attribute.label]: this.label(block) as `<${string}>` });
      this.nodes.set(block.head, node);
      cluster.addNode(node);
    }
    for (const { from, to, kind, loop } of flow.edges) {
      const style = EDGE_STYLE[kind];
      this.edge(from, to, {
        [attribute.color]: loop ? '#7b1fa2' : style.color,
        [attribute.penwidth]: loop ? 2.5 : 1.2,
      });
    }
    this.graph.addSubgraph(cluster);
  }

  private edge(from: number, to: number, attributes: ConstructorParameters<typeof GraphEdge>[1]): void {
    const [tail, head] = [this.nodes.get(from), this.nodes.get(to)];
    if (tail && head) this.graph.addEdge(new GraphEdge([tail, head], attributes));
  }

  private label(block: Block): string {
    const { program, insns } = this;
    const { info, btf, lines } = program;
    const names = xlatedNames(program);
    const ink = block.reachable ? '#000000' : '#777777';
    const text = (content: string, color: string): string =>
      `<FONT COLOR="${color}">${escapeHtml(cut(content))}</FONT>`;
    const rows = [row(`<FONT POINT-SIZE="8" COLOR="#666666">${escapeHtml(title(block))}</FONT>`)];
    let last = '';
    for (const r of xlatedRows(insns, block.head, block.tail + 1)) {
      const line = lines?.find(r.index, 0);
      if (line && btf) {
        const source = sourceLineText(btf, line, this.options.linum).trimEnd();
        const said = source === last || source === '' || source === ';';
        last = source;
        if (!said) rows.push(row(`<I>${text(source, SOURCE)}</I>`, ' BGCOLOR="#eef3f8"'));
      }
      rows.push(row(text(`${String(r.index).padStart(4)}: ${disasmInsn(r.insn, r.next, names)}`, ink)));
      if (this.options.opcodes) rows.push(row(text(`      ${opcodeBytes(info.xlated, r).join(' ')}`, '#888888')));
    }
    const border = block.reachable ? '' : ' STYLE="DASHED"';
    const thick = block.loopHead ? 2 : 1;
    return `<<TABLE BORDER="${thick}" CELLBORDER="0" CELLSPACING="0" CELLPADDING="1" BGCOLOR="${colour(block)}"${border}>${rows.join('')}</TABLE>>`;
  }
}

/** Where func_info says that functions begin. */
function functionStarts({ info }: XlatedProgram): number[] {
  const raw = info.funcInfo;
  if (!raw || raw.recSize < 8) return [];
  const view = new DataView(raw.bytes.buffer, raw.bytes.byteOffset, raw.bytes.byteLength);
  const count = Math.floor(raw.bytes.length / raw.recSize);
  return Array.from({ length: count }, (_, i) => view.getUint32(i * raw.recSize, true));
}

/** The model of a loaded program: what `visual to FILE` lays out. */
export const pictureOf = (program: XlatedProgram, options: XlatedOptions): Digraph =>
  new Picture(program, options).draw();
