// Differences that are meant, each with its reason. `matches` names the ledger entries that it explains.

export interface Deliberate {
  what: string;
  why: string;
}

export const DELIBERATE: readonly Deliberate[] = [
  {
    what: '`feature probe`: program types tracing, ext and lsm',
    why: 'The kernel of the capture refuses them by a policy of its own before it looks at the program; the simulated kernel is a Linux 6.18 without that policy. The comparison leaves their three lines out.',
  },
];
