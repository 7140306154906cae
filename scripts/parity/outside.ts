// Corpora that are not of this project and not in it: what a comparison found, and why the rest differs.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { METRICS, type Metric } from './ledger.ts';

const folder = fileURLToPath(new URL('../../testdata/outside/', import.meta.url));

/** What scripts/outside.ts writes to testdata/outside. */
export interface OutsideResult {
  objects: number;
  programs: number;
  /** By the real kernel. */
  accepted: number;
  /** Refused by the real kernel, with another verdict here. */
  wronglyAccepted: number;
  /** Equal and all. */
  metrics: Partial<Record<Metric, [number, number]>>;
  /** "metric: object/program" of each difference. */
  differing: string[];
}

/** Why something differs, by the object and program; the rest of the text is the reason. */
const CAUSES: readonly (readonly [RegExp, string])[] = [
  [/^dump xlated: test_map_lookup_percpu_elem\/.* visual$/, 'the real bpftool crashes in the middle of the graph'],
];

const share = ([equal, total]: [number, number]): string => `${((100 * equal) / total).toFixed(2)} %`;

/** The page's part about one corpus. */
function section(name: string, result: OutsideResult): string {
  const rows = (Object.keys(METRICS) as Metric[]).flatMap((metric) => {
    const numbers = result.metrics[metric];
    return numbers ? [`| ${metric} | ${METRICS[metric]} | ${numbers[0]} | ${numbers[1]} | ${share(numbers)} |`] : [];
  });
  const differing = result.differing.map((what) => {
    const cause = CAUSES.find(([pattern]) => pattern.test(what))?.[1];
    return `- ${what}${cause === undefined ? '' : `: ${cause}`}`;
  });
  return `## ${name}

${result.objects} objects, ${result.programs} programs, ${result.accepted} of them accepted by Linux; wrongly accepted here: ${result.wronglyAccepted}.
Compiled and captured outside of the repository; made by \`scripts/outside.ts\`.

| metric | compares | equal | of | share |
|---|---|---:|---:|---:|
${rows.join('\n')}

${differing.length > 0 ? differing.join('\n') : 'Nothing differs.'}
`;
}

/** All such corpora, from testdata/outside. */
export function outsideSections(): string {
  if (!existsSync(folder)) return '';
  return readdirSync(folder)
    .sort()
    .map((file) => section(basename(file, '.json'), JSON.parse(readFileSync(join(folder, file), 'utf8'))))
    .join('\n');
}
