// Corpora that are not of this project and not in it: what a comparison found, and why the rest differs.
import type { Metric } from './ledger.ts';

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
