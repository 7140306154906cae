// The sets of questions by the name of the file that keeps their answers.
import type { Kernel } from '../../src/syscall.ts';
import type { Answer } from './answer.ts';
import { askBtfLoad } from './btf-load.ts';
import { askDescriptors } from './descriptors.ts';
import { askHoldingMaps } from './holding-maps.ts';
import { askLifetimes } from './lifetimes.ts';
import { askLpm } from './lpm.ts';
import { askMapBtf } from './map-btf.ts';
import { askMaps } from './map-elements.ts';
import { askLimits } from './map-limits.ts';
import { askMapOwner } from './map-owner.ts';
import { askProgAttr } from './prog-attr.ts';
import { askStructOps } from './struct-ops.ts';
import { askTailCalls } from './tail-calls.ts';
import { askTree } from './tree.ts';

export const ANSWER_SETS: Readonly<Record<string, (kernel: Kernel) => Generator<Answer>>> = {
  maps: askMaps,
  'btf-load': askBtfLoad,
  'map-btf': askMapBtf,
  'map-limits': askLimits,
  'map-owner': askMapOwner,
  'holding-maps': askHoldingMaps,
  lpm: askLpm,
  descriptors: askDescriptors,
  lifetimes: askLifetimes,
  'prog-attr': askProgAttr,
  'tail-calls': askTailCalls,
  'struct-ops': askStructOps,
  tree: askTree,
};

/** All answers of a set, numbered in the order of asking. */
export const answersOf = (name: string, kernel: Kernel): Record<string, number | string> =>
  Object.fromEntries([...ANSWER_SETS[name](kernel)].map(({ what, answer }, i) => [`${i} ${what}`, answer]));
