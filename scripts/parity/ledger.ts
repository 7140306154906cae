// The ledger: per metric, how many outputs equal those of the real kernel and the real bpftool.

/** Metrics in the order of the table, with what each compares. */
export const METRICS = {
  verdict: 'verdict and errno of each program',
  reason: 'last line of the log of each rejected program',
  counts: '`processed … insns`, states and stack depth of each accepted program',
  log1: 'verifier log, level 1',
  log2: 'verifier log, level 2',
  xlated: 'xlated bytes of each accepted program',
  jited: 'machine code of each accepted program, addresses masked',
  'prog show': '`prog show`, plain, JSON, pretty',
  'map show': '`map show`, plain and JSON',
  'dump xlated': '`prog dump xlated`, plain, opcodes, linum, visual, JSON',
  'dump jited': '`prog dump jited`, plain, opcodes, linum, JSON',
  btf: '`btf dump file`, raw, C, JSON, of each object',
  vmlinux: '`btf dump file` of vmlinux, raw, C, JSON',
  load: '`prog loadall` of each object: exit status and messages',
  light: '`gen skeleton -L`, `prog load -L` of each object: header, status, messages, with and without `-d`',
  feature: '`feature probe` and `list_builtins`, `version`',
} as const;

export type Metric = keyof typeof METRICS;

export interface Entry {
  equal: number;
  total: number;
  /** What differed, for the list under the table. */
  differing: string[];
}

export class Ledger {
  readonly entries = new Map<Metric, Entry>();

  record(metric: Metric, what: string, equal: boolean): void {
    const entry = this.entries.get(metric) ?? { equal: 0, total: 0, differing: [] };
    entry.total++;
    if (equal) entry.equal++;
    else entry.differing.push(what);
    this.entries.set(metric, entry);
  }

  /** Rows of the table: metric, equal, total, share. */
  *rows(): Generator<[Metric, Entry, string]> {
    for (const metric of Object.keys(METRICS) as Metric[]) {
      const entry = this.entries.get(metric);
      if (entry) yield [metric, entry, `${((100 * entry.equal) / entry.total).toFixed(1)} %`];
    }
  }
}
